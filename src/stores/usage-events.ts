/** What was called: a license's device called a provider's model. */
export interface EventCall {
  licenseId: string;
  deviceId: number;
  provider: string;
  model: string;
}

/** Requests of one call on one day, counted in days since 1970-01-01. */
export interface EventSum extends EventCall {
  day: number;
  requests: number;
  refunded: number;
}

/*
 * A usage event is an entry of a Redis stream: `c`, what was called, its four parts on a line each, and `v`,
 * `<day> <requests> <refunded> <tag>`. Two fields instead of eight, since each string of a reply has its price for whoever
 * reads it, and each event is read once. The scripts of src/quota append them.
 */

/** What was called, as an event holds it. None of the parts has a line break in it: models are printable ASCII by now. */
export function packCall({ licenseId, deviceId, provider, model }: EventCall): string {
  return `${licenseId}\n${deviceId}\n${provider}\n${model}`;
}

/** Adds events up. Those of instances of before, which have a field for each part, are understood as well. */
export function sumEvents(entries: readonly [id: string, fields: string[]][]): EventSum[] {
  const sums = new Map<string, EventSum>();
  for (const [, fields] of entries) {
    const { call, day, requests, refunded } = readEvent(fields);
    const key = `${day} ${call}`;
    const sum = sums.get(key);
    if (sum === undefined) sums.set(key, { ...unpackCall(call), day, requests, refunded });
    else {
      sum.requests += requests;
      sum.refunded += refunded;
    }
  }
  return [...sums.values()];
}

function unpackCall(call: string): EventCall {
  const [licenseId = '', deviceId, provider = '', model = ''] = call.split('\n');
  return { licenseId, deviceId: Number(deviceId), provider, model };
}

function readEvent(fields: readonly string[]): {
  call: string;
  day: number;
  requests: number;
  refunded: number;
} {
  if (fields.length > 4) {
    const [, licenseId, , deviceId, , provider, , model, , day, , requests, , refunded] = fields;
    const call = [licenseId, deviceId, provider, model].join('\n');
    return { call, day: Number(day), requests: Number(requests), refunded: Number(refunded) };
  }
  const [, call = '', , value = ''] = fields;
  const [day, requests, refunded] = value.split(' ', 3);
  return { call, day: Number(day), requests: Number(requests), refunded: Number(refunded) };
}
