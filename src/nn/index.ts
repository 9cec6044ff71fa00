export * from './attention.ts';
export * from './init.ts';
export * from './layers.ts';
export * from './losses.ts';
export * from './optimizer.ts';
export * from './schedules.ts';
