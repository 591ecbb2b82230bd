/** Opens the bus that the configuration names. */
import type { Log } from '#telemetry/log.js';
import type { Bus } from './bus.js';
import { openKafka, type KafkaSettings } from './kafka/kafka-bus.js';
import { openPostgresBus, type PostgresBusSettings } from './postgres/postgres-bus.js';

/** Exactly one of them. */
export interface BusSettings {
  kafka?: Omit<KafkaSettings, 'clientId'> | undefined;
  postgres?: Omit<PostgresBusSettings, 'clientId'> | undefined;
}

/**
 * @param clientId shown by the server among its clients
 * @throws BusError ERR_BUS_UNREACHABLE
 */
export async function openBus({ kafka, postgres }: BusSettings, clientId: string, log?: Log): Promise<Bus> {
  if (kafka !== undefined && postgres === undefined) return await openKafka({ ...kafka, clientId }, log);
  if (postgres !== undefined && kafka === undefined)
    return await openPostgresBus({ ...postgres, clientId }, log);
  throw new TypeError('exactly one of kafka and postgres must be given');
}
