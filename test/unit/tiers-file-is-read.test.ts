import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { parseTiers, readTiersFile } from '../../src/licensing/tiers-file.ts';
import { builtInTiers } from '../../src/licensing/tiers.ts';

const whole = `
[tiers.team_2]
name = "Team"
daily_limit = -1
monthly_limit = 50_000
max_devices = -1
features = ["chat", "audio"]
description = "For teams"
price_monthly = 29.5
email_verification_required = false
self_service = true
one_license_per_device = true
hidden = true
deprecated = true
migrate_to = "small"
on_counter_outage = "allow"
outage_allowance = 20
require_signature = true
require_proof_of_possession = true

[tiers.small]
name = "Small"
daily_limit = 0
monthly_limit = 0
max_devices = 0
`;

it('every field of a tier is read, and the others have their defaults', () => {
  const read = parseTiers(whole, 'tiers.toml');
  assert.ok(read.ok);
  assert.deepEqual([...read.tiers.keys()], ['team_2', 'small']);
  assert.deepEqual(read.tiers.get('team_2'), {
    id: 'team_2',
    name: 'Team',
    dailyLimit: -1,
    monthlyLimit: 50_000,
    maxDevices: -1,
    features: ['chat', 'audio'],
    description: 'For teams',
    priceMonthly: 29.5,
    emailVerificationRequired: false,
    selfService: true,
    oneLicensePerDevice: true,
    hidden: true,
    deprecated: true,
    migrateTo: 'small',
    onCounterOutage: 'allow',
    outageAllowance: 20,
    requireSignature: true,
    requireProofOfPossession: true,
  });
  assert.deepEqual(read.tiers.get('small'), {
    id: 'small',
    name: 'Small',
    dailyLimit: 0,
    monthlyLimit: 0,
    maxDevices: 0,
    features: [],
    description: '',
    priceMonthly: undefined,
    emailVerificationRequired: true,
    selfService: false,
    oneLicensePerDevice: false,
    hidden: false,
    deprecated: false,
    migrateTo: undefined,
    onCounterOutage: 'deny',
    outageAllowance: 0,
    requireSignature: false,
    requireProofOfPossession: false,
  });
});

it('built in are free, pro and enterprise', () => {
  const limits = [...builtInTiers.values()].map((tier) => [
    tier.id,
    tier.dailyLimit,
    tier.monthlyLimit,
    tier.maxDevices,
  ]);
  assert.deepEqual(limits, [
    ['free', 10, 100, 1],
    ['pro', 1_000, 30_000, 3],
    ['enterprise', -1, -1, 10],
  ]);
});

it('a file is read from its path, and one that cannot be is a problem that names it', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'licensify-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'tiers.toml');
  writeFileSync(path, whole);
  assert.equal(readTiersFile(path).ok, true);
  const missing = readTiersFile(join(folder, 'nowhere.toml'));
  assert.ok(!missing.ok);
  assert.equal(missing.problems.length, 1);
  assert.ok(missing.problems[0]?.startsWith(join(folder, 'nowhere.toml')));
});
