/* events.js - one stream of events, kept up: tried again when it breaks, and what was missed is fetched.
 *
 * The stream is that of all runs, so the list of runs is live too. Whenever it opens, the run that is followed is
 * read whole (its state, its epochs, its points after the last one known) before live points are let through; and
 * when live points begin later than the next window, the points between are fetched first. So no point is missing,
 * and since the receiver merges by step, none is there twice. A run that goes on from its checkpoint begins again with
 * steps that were told already (`dropped`): what the receiver has beyond it goes, and what is there now is read. */

import { checkSignedIn, getJson, Problem, runPath } from './api.js';
import { SERIES_MOST } from './series.js';
import { openStream } from './stream.js';

const FIRST_WAIT = 500;
const LONGEST_WAIT = 8000;
const PATIENCE = [200, 400, 800]; /* ms; the server stores points within a second */

/** @typedef {import('./api.js').Run} Run */
/** @typedef {import('./series.js').Columns & {run?: number, downsampled?: boolean, next?: number}} Points */
/** @typedef {'connecting' | 'live' | 'lost' | 'gone' | 'resting'} Phase */

/**
 * @typedef {object} Handlers
 * @property {(run: Run) => void} run the state of any run
 * @property {() => number} lastStep of the points that the receiver has
 * @property {(points: Points) => void} points of the run that is followed
 * @property {(rows: import('./api.js').EpochRow[]) => void} epochs of the run that is followed
 * @property {(histograms: any) => void} histograms of the run that is followed, as of now
 * @property {(after: number) => void} dropped points and epochs beyond this step are not the run's any more
 * @property {(id: number) => void} deleted this run is not there any more
 * @property {(problem: Problem) => void} missing the run that is followed cannot be read
 * @property {(phase: Phase, waiting: number) => void} phase of the connection; ms until it is tried again
 */

/** Steps that one point covers, as the server cuts them; Infinity where the run does not say. @param {Run} run */
export function windowSteps(run) {
    const { steps, epochs } = run.progress;
    if (!(steps > 0 && epochs > 0)) return Infinity;
    return Math.max(Math.ceil(steps / epochs / 100), Math.ceil(steps / 100000));
}

export class Follower {
    /** @type {import('./stream.js').Stream | null} */ #source = null;
    #failures = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer = undefined;
    /** @type {Points[] | null} live points that wait for those before them */ #held = null;
    #again = false;
    /** @type {Run | null} */ #run = null;

    /** @param {Handlers} handlers */
    constructor(handlers) {
        this.handlers = handlers;
        /** The run that is followed; 0: none. */
        this.id = 0;
        /** @type {Phase} */ this.phase = 'resting';
    }

    /** Follow this run from now on. @param {number} id */
    follow(id) {
        this.id = id;
        this.#run = null;
        this.#held = null;
        if (this.phase === 'live' && id) this.#catchUp();
    }

    /** Connect now, without waiting for the next try. */
    connect() {
        this.#close();
        this.#setPhase(this.#failures ? this.phase : 'connecting');
        const source = openStream('/api/v1/events');
        const on = (/** @type {string} */ type, /** @type {(data: any) => void} */ act) =>
            source.addEventListener(type, (event) => source === this.#source && act(JSON.parse(/** @type {MessageEvent} */ (event).data)));

        this.#source = source;
        source.addEventListener('open', () => source === this.#source && this.#opened());
        source.addEventListener('error', () => source === this.#source && this.#broke());
        on('state', (run) => this.#gotState(run));
        on('points', (points) => points.run === this.id && this.#gotPoints(points));
        on('epoch', (row) => row.run === this.id && this.handlers.epochs([row]));
        on('histogram', (now) => now.run === this.id && this.handlers.histograms(now));
        on('dropped', ({ run, after }) => this.id && this.#gotDropped(run, after));
        on('deleted', ({ run }) => this.#gotDeleted(run));
    }

    /** Close the stream on purpose (a hidden tab); `connect` takes it up again. */
    rest() {
        this.#close();
        this.#setPhase('resting');
    }

    #close() {
        clearTimeout(this.#timer);
        this.#source?.close();
        this.#source = null;
        this.#held = null;
    }

    /** @param {Phase} phase @param {number} [waiting] */
    #setPhase(phase, waiting = 0) {
        this.phase = phase;
        this.handlers.phase(phase, waiting);
    }

    #opened() {
        if (this.id) this.#catchUp();
        else this.#settled();
    }

    #settled() {
        this.#failures = 0;
        this.#setPhase('live');
    }

    #broke() {
        const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#failures);

        this.#close();
        checkSignedIn();
        this.#failures++;
        this.#setPhase(this.#failures > 1 ? 'gone' : 'lost', wait);
        this.#timer = setTimeout(() => this.connect(), wait);
    }

    /** @param {Run} run */
    #gotState(run) {
        const before = this.#run?.state;

        this.handlers.run(run);
        if (run.id !== this.id) return;
        this.#run = run;
        /* Training stands still now: should a point have been lost on the way, no later one would tell. */
        if (before === 'running' && run.state !== 'running') this.#catchUp();
    }

    /** @param {Points} points */
    #gotPoints(points) {
        if (this.#held) {
            this.#held.push(points);
            return;
        }
        if (this.#follows(points)) {
            this.handlers.points(points);
            return;
        }
        this.#catchUp();
        /** @type {Points[] | null} */ (this.#held)?.push(points); /* set by catchUp */
    }

    /** What is being read just now, or held, may be from before it. @param {number} run @param {number} after */
    #gotDropped(run, after) {
        if (run === this.id) {
            this.#held = null;
            this.handlers.dropped(after);
        }
        this.#catchUp();
    }

    /** @param {number} run */
    #gotDeleted(run) {
        if (run === this.id) {
            this.follow(0);
            this.#settled(); /* what was being read of it is not waited for */
        }
        this.handlers.deleted(run);
    }

    /** Whether no window is missing between the points that the receiver has and these. @param {Points} points */
    #follows(points) {
        return !this.#run || points.steps[0] <= this.handlers.lastStep() + windowSteps(this.#run);
    }

    /** Read what there is of the run that the page does not have yet; live points wait meanwhile. */
    async #catchUp() {
        if (this.#held) {
            this.#again = true;
            return;
        }
        /** @type {Points[]} */
        const held = [];
        const source = this.#source;
        const wanted = () => this.#held === held;

        this.#held = held;
        this.#again = false;
        try {
            await this.#read(wanted);
            await this.#letThrough(held, wanted);
        } catch (problem) {
            if (wanted()) {
                this.#held = null;
                this.#failed(source, /** @type {Problem} */ (problem));
            }
            return;
        }
        if (!wanted()) return;
        this.#held = null;
        this.#settled();
        if (this.#again) await this.#catchUp();
    }

    /**
     * The held points, in order. What was streamed just before we listened may not be stored yet: where a window is
     * missing, read again, a few times.
     * @param {Points[]} held @param {() => boolean} wanted
     */
    async #letThrough(held, wanted) {
        for (const wait of PATIENCE) {
            while (wanted() && held.length && this.#follows(held[0]))
                this.handlers.points(/** @type {Points} */ (held.shift()));
            if (!wanted() || !held.length) return;
            await new Promise((resolve) => setTimeout(resolve, wait));
            await this.#read(wanted);
        }
        while (wanted() && held.length) this.handlers.points(/** @type {Points} */ (held.shift()));
    }

    /** @param {() => boolean} wanted */
    async #read(wanted) {
        const id = this.id;
        const after = this.handlers.lastStep();
        const [run, epochs, points] = await Promise.all([
            getJson(runPath(id)),
            getJson(runPath(id) + '/epochs'),
            getJson(`${runPath(id)}/metrics?after=${after}&max_points=${SERIES_MOST}`),
        ]);

        if (!wanted()) return;
        this.#run = run;
        this.handlers.run(run);
        this.handlers.epochs(epochs.epochs);
        this.handlers.points(points);
    }

    /** @param {import('./stream.js').Stream | null} source @param {Problem} problem */
    #failed(source, problem) {
        if (problem instanceof Problem && problem.status > 0 && problem.status < 500) {
            this.#settled();
            this.handlers.missing(problem);
        } else if (source === this.#source) {
            this.#broke();
        }
    }
}
