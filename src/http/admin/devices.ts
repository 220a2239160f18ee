import { Router } from 'express';
import type { Device } from '../../licensing/devices.ts';
import { RefusalError } from '../errors.ts';
import { onlyMethod } from '../json-endpoint.ts';
import { required, type AdminParts } from './parts.ts';

/** The devices of a license. */
export function deviceRoutes(parts: AdminParts): Router {
  const router = Router({ caseSensitive: true });
  router
    .route('/:id/devices')
    .get(async (req, res) => {
      const license = required(await parts.licenses.find(req.params.id), req.params.id);
      const devices = await parts.devices.list(license.id);
      res.json({ data: devices.map(deviceJson), next_cursor: null });
    })
    .all(onlyMethod('GET'));
  router
    .route('/:id/devices/:hardwareId')
    .delete(async (req, res) => {
      const { id, hardwareId } = req.params;
      const license = required(await parts.licenses.find(id), id);
      const removed = await parts.devices.remove(license.id, hardwareId);
      if (!removed)
        throw new RefusalError('not_found', { what: `Device ${hardwareId.slice(0, 100)} of this license` });
      res.status(204).end();
    })
    .all(onlyMethod('DELETE'));
  return router;
}

export function deviceJson(device: Device): object {
  return {
    hardware_id: device.hardwareId,
    activated_at: device.activatedAt.toISOString(),
    last_activated_at: device.lastActivatedAt.toISOString(),
  };
}
