/* removal.js - runs deleted, with ten seconds to think better of it.
 *
 * Until then only the page leaves them out; the server is asked when the time is over, or when the page is left. */

import { Problem, requestEmpty, runPath } from '../lib/api.js';
import { make, setText } from '../lib/dom.js';

/** @typedef {import('./columns.js').Run} Run */
/**
 * @typedef {object} Handlers
 * @property {(ids: number[]) => void} hide
 * @property {(ids: number[]) => void} restore they stay
 * @property {(ids: number[]) => void} forget they are gone for good
 */

const SECONDS = 10;

/** "Run 7, fashion hinton 3," or "3 runs". @param {Run[]} runs */
const nameOf = (runs) => (runs.length === 1 ? `Run ${runs[0].id}, ${runs[0].name},` : `${runs.length} runs`);

export class Removal {
    /** @type {Map<HTMLElement, {runs: Run[], timer: ReturnType<typeof setInterval>}>} */ #waiting = new Map();

    /** @param {HTMLElement} region where it is said @param {Handlers} handlers */
    constructor(region, handlers) {
        this.region = region;
        this.handlers = handlers;
        window.addEventListener('pagehide', () => {
            for (const { runs } of this.#waiting.values())
                for (const { id } of runs) fetch(runPath(id), { method: 'DELETE', keepalive: true });
        });
    }

    /** Take runs out of the list; they are deleted when nobody undoes it. @param {Run[]} runs */
    begin(runs) {
        const left = make('span', { class: 'count' });
        const undo = make('button', { type: 'button', class: 'button' }, 'Undo ', left);
        const was = runs.length === 1 ? 'was' : 'were';
        const toast = make('div', { class: 'toast' }, make('p', {}, `${nameOf(runs)} ${was} deleted.`), undo);
        const due = performance.now() + SECONDS * 1000;
        const tick = () => {
            const seconds = Math.ceil((due - performance.now()) / 1000);
            setText(left, `${Math.max(0, seconds)} s`);
            if (seconds <= 0) this.#end(toast);
        };
        left.setAttribute('aria-hidden', 'true');
        undo.addEventListener('click', () => this.#undo(toast));
        this.#waiting.set(toast, { runs, timer: setInterval(tick, 250) });
        this.handlers.hide(runs.map(({ id }) => id));
        this.region.append(toast);
        tick();
        undo.focus();
    }

    /** @param {HTMLElement} toast @returns {Run[]} */
    #take(toast) {
        const waiting = this.#waiting.get(toast);
        if (!waiting) return [];
        clearInterval(waiting.timer);
        this.#waiting.delete(toast);
        toast.remove();
        return waiting.runs;
    }

    /** @param {HTMLElement} toast */
    #undo(toast) {
        this.handlers.restore(this.#take(toast).map(({ id }) => id));
    }

    /** Nobody undid it. @param {HTMLElement} toast */
    async #end(toast) {
        for (const run of this.#take(toast)) {
            try {
                await requestEmpty('DELETE', runPath(run.id));
                this.handlers.forget([run.id]);
            } catch (problem) {
                if (!(problem instanceof Problem)) throw problem;
                if (problem.status === 404) this.handlers.forget([run.id]);
                else this.#failed(run, problem);
            }
        }
    }

    /** @param {Run} run @param {Problem} problem */
    #failed(run, problem) {
        const close = make('button', { type: 'button', class: 'button' }, 'Close');
        const sentence = `${nameOf([run])} was not deleted: ${problem.message}`;
        const toast = make('div', { class: 'toast bad', role: 'alert' }, make('p', {}, sentence), close);
        close.addEventListener('click', () => toast.remove());
        this.region.append(toast);
        this.handlers.restore([run.id]);
    }
}
