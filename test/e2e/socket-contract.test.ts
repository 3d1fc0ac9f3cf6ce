import test from 'ava';
import { channelBackPressure, channelContract, type StartProgram } from '../contracts/channel.ts';
import { shellPrograms } from '../contracts/channel-programs.ts';
import { bridgedScript } from './bridge-program.ts';

/** The program of the image itself, on this host: containers with it are what the other tests of the stack run. */
const start: StartProgram = async (name, maxLineBytes) => {
  const { open, launch, clear } = await bridgedScript(shellPrograms[name]);
  const channel = await open({ maxLineBytes });
  const bridge = launch();
  await channel.connected;
  return {
    channel,
    kill: async () => {
      bridge.process.kill('SIGKILL');
    },
    clear: async () => {
      channel.destroy('cleared');
      bridge.process.kill('SIGTERM'); // passed on to what still runs
      await clear();
    },
  };
};

channelContract(test, 'socket', start);
channelBackPressure(test, start);
