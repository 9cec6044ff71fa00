import { addCommand, emit, type Register } from './command.ts';
import { addStoreOption, type StoreOptions } from './study.ts';
import { integer } from './values.ts';

interface Options extends StoreOptions {
  readonly reports: string;
  readonly host: string;
  readonly port: number;
  readonly json?: boolean;
}

export const registerServe: Register = (program, io) => {
  const command = addCommand(program, {
    name: 'serve',
    summary: 'watch studies in a browser: progress, losses and scores as they come, and the reports',
    details: `Reads the store and the reports, and changes nothing. Listens on this machine alone; for a remote machine forward the port (ssh -L 7171:localhost:7171).
/api/studies and /api/studies/NAME give the same as JSON. Ctrl-C ends it.`,
    examples: ['isoflop serve', 'isoflop serve --store /data/isoflop --port 8080'],
  });
  addStoreOption(command)
    .option('--reports <dir>', 'folder of the reports', 'reports')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port to listen on; 0 for any that is free', integer(0), 7171)
    .action(async ({ store: place, reports, host, port, json }: Options) => {
      const { Store } = await import('../study/index.ts');
      const { serve } = await import('../web/index.ts');
      const store = await Store.open(place, { create: false });
      const { url, closed } = await serve({ store, reports, host, port, signal: io.signal, now: io.now });
      emit(io, { json }, { url, store: place, reports }, () => url);
      await closed;
    });
};
