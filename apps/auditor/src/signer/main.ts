/** The signer: a process of its own, with the log's key and a login that reads the tree and adds checkpoints. It is on no bus. */
import { MerkleError } from '#merkle/errors.js';
import { operatorsErrors } from '#service/exit.js';
import { runService } from '#service/run-service.js';
import { openDatabase } from '#store/database.js';
import { KeyFileError } from '../leaf/keys.js';
import { Checkpointer } from './checkpointer.js';
import { jwkOf, readLogKeys, SignerSetUpError } from './log-keys.js';
import { SignerModule } from './signer.module.js';

await runService({
  name: 'signer',
  isOperators: operatorsErrors([MerkleError, KeyFileError, SignerSetUpError]),
  async open({ config, log, metrics }) {
    const { database, keys } = config.services.signer;
    const signers = await readLogKeys(keys);
    const warn = (fields: object, message: string) => log.warn(fields, message);
    const db = openDatabase({ ...database, application: 'mayfly-signer', maxConnections: 1 }, (err) =>
      warn({ err }, 'an idle database connection was lost'),
    );
    const signed = metrics.counter({
      name: 'checkpoints_signed_total',
      help: 'Heads of the log that were signed.',
    });
    const checkpointer = new Checkpointer({ db, signers, warn, onSigned: () => signed.inc() });
    return {
      module: (telemetry) => SignerModule.forRoot(telemetry),
      jwks: { keys: signers.map(jwkOf) },
      readiness: [() => checkpointer.reasons()],
      begin: () => Promise.resolve(checkpointer.start()),
      fields: { keys: signers.map(({ vkey }) => vkey) },
      drain: [{ what: 'a checkpoint being signed', run: () => checkpointer.stop() }],
      close: [{ what: 'connections', run: () => db.close() }],
    };
  },
});
