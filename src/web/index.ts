/** The dashboard of a store. */
export { type Dashboard, type ServeOptions, serve } from './server.ts';
