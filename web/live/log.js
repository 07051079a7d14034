/* log.js - the run's text log, following its end. The server writes it; here it is only shown. */

import { getText, Problem, runPath } from '../lib/api.js';
import { element } from '../lib/dom.js';

const LINES = 2000; /* shown at most; the link has all */
const SHORTEST = 400; /* ms between two readings */
const BYTES_PER_MS = 100; /* a long log is read less often */

export class Log {
    #run = 0;
    #timer = 0;
    #next = 0;
    #reading = false;
    #stale = false;

    constructor() {
        this.box = element('log');
        this.follow = /** @type {HTMLInputElement} */ (element('log-follow'));
        this.follow.addEventListener('change', () => this.#toEnd());
        this.box.addEventListener('scroll', () => {
            const { scrollHeight, scrollTop, clientHeight } = this.box;
            this.follow.checked = scrollHeight - scrollTop - clientHeight < 24;
        });
    }

    /** Show another run's log. @param {number} run */
    show(run) {
        this.#run = run;
        this.#next = 0;
        this.box.textContent = '';
        this.follow.checked = true;
        /** @type {HTMLAnchorElement} */ (element('log-link')).href = runPath(run) + '/log';
        this.changed();
    }

    /** The log has grown. */
    changed() {
        this.#stale = true;
        if (this.#timer || this.#reading || !this.#run) return;
        this.#timer = window.setTimeout(() => this.#read(), Math.max(0, this.#next - performance.now()));
    }

    async #read() {
        const run = this.#run;
        this.#timer = 0;
        this.#reading = true;
        this.#stale = false;
        try {
            const text = await getText(runPath(run) + '/log');
            if (run === this.#run) this.#fill(text);
            this.#next = performance.now() + Math.max(SHORTEST, text.length / BYTES_PER_MS);
        } catch (problem) {
            /* The banner tells when nobody answers; the next epoch or the next connection reads it again. */
            if (!(problem instanceof Problem)) throw problem;
        }
        this.#reading = false;
        if (this.#stale) this.changed();
    }

    /** @param {string} text */
    #fill(text) {
        const lines = text.trimEnd().split('\n');
        const shown = (lines.length > LINES ? ['…', ...lines.slice(-LINES)] : lines).join('\n');
        if (shown === this.box.textContent) return;
        this.box.textContent = shown || 'The first lines come with the end of the first epoch.';
        this.#toEnd();
    }

    #toEnd() {
        if (this.follow.checked) this.box.scrollTop = this.box.scrollHeight;
    }
}
