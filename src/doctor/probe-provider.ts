/**
 * `node probe-provider.js PROVIDER`: ends with 0 if a session of that provider can be made and run here. In a process of its own, because
 * drivers print what they like, and one that crashes must not take the doctor along.
 */
import { input, makeGraph, mul, tensor } from '../graph/index.ts';
import { type Provider, Session } from '../runtime/index.ts';

const x = input('x', 'float32', [1]);
const provider = process.argv[2] as Provider;
const session = await Session.create(makeGraph([x], { square: mul(x, x) }), { provider, threads: 1 });
const { square } = await session.run({ x: tensor('float32', [1], [3]) });
process.exit(square!.data[0] === 9 ? 0 : 1);
