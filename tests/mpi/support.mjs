// support.mjs - the program on several ranks, as mpirun starts it: processes of this machine.
//
// MPI_GOODNESS names the program that was built with -DGOODNESS_MPI=ON; MPIRUN the launcher of the same MPI, where that
// is another than mpirun: Open MPI's or MPICH's.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after } from 'node:test';

import { json, writeDataset } from '../api/support.mjs';

export const program = process.env.MPI_GOODNESS;
if (program === undefined)
    throw new Error('MPI_GOODNESS must name the program that was built with -DGOODNESS_MPI=ON');

const mpirun = process.env.MPIRUN ?? 'mpirun';
/** Whether the launcher lets the others live on when a rank dies, if it is asked to. MPICH's has an option for it, and
 *  kills them all the same when it sees the end of the process before the end of its connection. */
const recovers = execFileSync(mpirun, ['--version'], { encoding: 'utf8' }).includes('Open');
/** What a test that needs that has as its `skip`. */
export const unable = recovers ? false : 'this launcher kills the others';

/* More ranks than processors, root in a container. */
const openMpi = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1', OMPI_MCA_rmaps_base_oversubscribe: '1' };

/** A folder with the data set `bars` and the RUN.json files of `runs` ({ name: request }); remove it with `remove`. */
export async function makeFolder(runs = {}, dataset = {}) {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'goodness-mpi-'));
    await writeDataset(path.join(folder, 'bars'), dataset);
    for (const [name, request] of Object.entries(runs))
        await writeFile(path.join(folder, `${name}.json`), JSON.stringify({ name, ...request }));
    return {
        folder,
        file: (name) => path.join(folder, name),
        data: ['--data', `bars=${path.join(folder, 'bars')}`],
        remove: () => rm(folder, { recursive: true, force: true }),
    };
}

/* What a test that failed has left running ends with the file. */
const running = new Set();
after(() => running.forEach((child) => child.kill()));

function start(command, args, environment = {}) {
    const child = spawn(command, args, { env: { ...process.env, ...openMpi, ...environment } });
    running.add(child);
    child.on('close', () => running.delete(child));
    const told = { output: '', errors: '' };
    child.stdout.on('data', (data) => { told.output += data; });
    child.stderr.on('data', (data) => { told.errors += data; });
    return { child, told };
}

/** What mpirun is given for `ranks` of the program with `args`; `others`: more of another command ([ranks, command, …]). */
function launch(ranks, args, others, recovery) {
    const more = others.flatMap(([count, ...command]) => [':', '-n', String(count), ...command]);
    return [...(recovery ? ['--enable-recovery'] : []), '-n', String(ranks), program, ...args, ...more];
}

/** Run to the end on so many ranks (0: without a launcher): { status, output, errors, lines }. */
export async function run(ranks, args, { others = [], recovery = false, environment } = {}) {
    const { child, told } = ranks === 0 ? start(program, args, environment)
        : start(mpirun, launch(ranks, args, others, recovery), environment);
    const [status] = await once(child, 'close');
    return { status, ...told, lines: told.output.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)) };
}

/** The lines of an event that `goodness train` printed, by run. */
export const linesOf = (result, event) => result.lines.filter((line) => line.event === event);

async function childrenOf(pid) {
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
    return children.trim().split(/\s+/).filter(Boolean).map(Number);
}

/** The process of a rank, below the launcher's. */
export async function processOf(launcher, rank) {
    const waiting = [launcher];
    while (waiting.length > 0) {
        const pid = waiting.pop();
        const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
        if (new RegExp(`(^|\\0)(OMPI_COMM_WORLD_RANK|PMI_RANK)=${rank}\\0`).test(environment) && pid !== launcher)
            return pid;
        waiting.push(...await childrenOf(pid));
    }
    throw new Error(`rank ${rank} is not there`);
}

/** The program under way on so many ranks: { child, until(pattern) of its output, rank(n): its process, ended }. */
export function begin(ranks, args, { recovery = recovers, environment } = {}) {
    const { child, told } = start(mpirun, launch(ranks, args, [], recovery), environment);
    const ended = once(child, 'close').then(([status]) => ({ status, ...told }));
    const until = async (pattern, what = 'output') => {
        const stream = what === 'output' ? child.stdout : child.stderr;
        while (!pattern.test(told[what])) {
            const over = await Promise.race([once(stream, 'data').then(() => false), ended.then(() => true)]);
            if (over && !pattern.test(told[what]))
                throw new Error(`it ended without ${pattern}: ${told.output.slice(-2000)}${told.errors}`);
        }
        return pattern.exec(told[what]);
    };
    return { child, told, until, ended, rank: (rank) => processOf(child.pid, rank) };
}

/** The daemon on so many ranks, in a folder of its own or in `place`, where one was before. */
export async function startDaemon(ranks, { recovery, place } = {}) {
    place ??= await makeFolder();
    const started = begin(ranks, ['serve', '--port', '0', '--state', place.file('state'), ...place.data],
        { recovery, environment: { HOME: place.folder, GOODNESS_CHECKPOINT_SECONDS: '0' } });
    const [, base] = await started.until(/listening on (http:\/\/\S+)\n/);
    return {
        ...started, base, place,
        json: (method, where, body) => json(base, method, where, body),
        /* Its own end is rank 0's, which ends the others; mpirun's status is theirs. */
        stop: async () => {
            process.kill(await started.rank(0), 'SIGTERM');
            const result = await started.ended;
            await place.remove();
            return result;
        },
    };
}

/** A run's events until `wanted(event, data)` is true of one; its data. */
export async function untilEvent(base, run, wanted) {
    const stop = new AbortController();
    const response = await fetch(`${base}/api/v1/runs/${run}/events`, { signal: stop.signal });
    let text = '';
    try {
        for await (const part of response.body) {
            text += new TextDecoder().decode(part);
            for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
                const [, event] = /^event: (.*)$/m.exec(text.slice(0, end)) ?? [];
                const data = /^data: (.*)$/m.exec(text.slice(0, end));
                const value = data ? JSON.parse(data[1]) : null;
                if (event !== undefined && wanted(event, value))
                    return value;
            }
        }
    } finally {
        stop.abort();
    }
    throw new Error('the stream ended before');
}
