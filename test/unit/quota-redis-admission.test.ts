import { admissionSuite } from '../support/admission-suite.ts';
import { openRedisWorld } from '../support/redis-world.ts';

admissionSuite('admission that counts in Redis, on four instances', openRedisWorld);
