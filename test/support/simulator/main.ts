import { parseArgs } from 'node:util';
import { ANTHROPIC_KEY, OPENAI_KEY, startSimulator } from './simulator.ts';

// Standalone: node test/support/simulator/main.ts --port 9000 --no-record
const { values } = parseArgs({
  allowNegative: true,
  options: {
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    record: { type: 'boolean', default: false },
    'openai-key': { type: 'string', multiple: true, default: [OPENAI_KEY] },
    'anthropic-key': { type: 'string', multiple: true, default: [ANTHROPIC_KEY] },
  },
});

const simulator = await startSimulator({
  port: Number(values.port),
  host: values.host,
  record: values.record,
  openaiKeys: values['openai-key'],
  anthropicKeys: values['anthropic-key'],
});
console.log(simulator.url);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void simulator.close());
}
