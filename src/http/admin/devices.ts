import { z } from 'zod';
import { RefusalError } from '../errors.ts';
import { cursorKind, paged, pageLimit, pageOf } from './cursor.ts';
import { deviceJson, deviceSchema, required } from './license-json.ts';
import { reply, route, type AdminRoute } from './route.ts';
import { licenseId } from './schemas.ts';

const tag = 'devices';
/** The id of a device's row, which is in the order of the list. */
const deviceCursor = cursorKind('device', z.int().nonnegative());

const listDevices = route({
  method: 'get',
  path: '/licenses/:id/devices',
  name: 'listDevices',
  summary: 'List the devices that a license is activated on, the oldest first',
  tag,
  role: 'read',
  params: licenseId,
  query: z.strictObject({ limit: pageLimit, cursor: deviceCursor.schema.optional() }),
  answers: { 200: { description: 'A page of devices', schema: pageOf(deviceSchema) } },
  errors: ['not_found'],
  async handle({ params, query: { limit, cursor } }, parts) {
    const license = required(await parts.licenses.find(params.id), params.id);
    const devices = await parts.devices.list(license.id, limit + 1, cursor);
    const { page, nextCursor } = paged(devices, limit, deviceCursor, ({ id }) => id);
    return reply(200, { data: page.map(deviceJson), next_cursor: nextCursor });
  },
});

const removeDevice = route({
  method: 'delete',
  path: '/licenses/:id/devices/:hardwareId',
  name: 'removeDevice',
  summary: "Free a device's place; its proxy keys die with it, and its open streams are cut",
  tag,
  role: 'support',
  params: licenseId.extend({ hardwareId: z.string() }),
  answers: { 204: { description: 'It is removed' } },
  errors: ['not_found'],
  async handle({ params: { id, hardwareId }, by }, parts) {
    const license = required(await parts.licenses.find(id), id);
    const removed = await parts.devices.remove(license.id, hardwareId, by);
    if (!removed) {
      throw new RefusalError('not_found', { what: `Device ${hardwareId.slice(0, 100)} of this license` });
    }
    return reply(204);
  },
});

/** The devices of a license. */
export const deviceRoutes: AdminRoute[] = [listDevices, removeDevice];
