/* log.js - the run's text log, following its end. The server writes it; here it is only shown. */

import { getText, Problem, runPath } from '../lib/api.js';
import { element } from '../lib/dom.js';

const LINES = 2000; /* shown at most; the link has all */
const SHORTEST = 400; /* ms between two readings */
const BYTES_PER_MS = 100; /* a long log is read less often */

/** @typedef {import('./state.js').Section} Section */

/** @implements {Section} */
export class Log {
    #timer = 0;
    #next = 0;
    #reading = false;
    #stale = true;

    /** @param {import('./state.js').Live} live */
    constructor(live) {
        this.live = live;
        this.box = element('log');
        this.follow = /** @type {HTMLInputElement} */ (element('log-follow'));
        this.look = live.painter.add(element('log-section'), () => this.#look());
        this.follow.addEventListener('change', () => this.#toEnd());
        this.box.addEventListener('scroll', () => {
            const { scrollHeight, scrollTop, clientHeight } = this.box;
            this.follow.checked = scrollHeight - scrollTop - clientHeight < 24;
        });
    }

    /** Another run's log. */
    clear() {
        this.#next = 0;
        this.box.textContent = '';
        this.follow.checked = true;
        /** @type {HTMLAnchorElement} */ (element('log-link')).href = runPath(this.live.id) + '/log';
        this.#changed();
    }

    /** @param {import('../lib/api.js').Run | null} before */
    run(before) {
        if (before?.state !== this.live.run?.state) this.#changed();
    }

    epochs() {
        this.#changed();
    }

    dropped() {
        this.#changed();
    }

    /** The log has grown: it is read once it is seen. */
    #changed() {
        this.#stale = true;
        this.look();
    }

    #look() {
        if (!this.#stale || this.#timer || this.#reading || !this.live.id) return;
        this.#timer = window.setTimeout(() => this.#read(), Math.max(0, this.#next - performance.now()));
    }

    async #read() {
        const run = this.live.id;
        this.#timer = 0;
        this.#reading = true;
        this.#stale = false;
        try {
            const text = await getText(runPath(run) + '/log');
            if (run === this.live.id) this.#fill(text);
            this.#next = performance.now() + Math.max(SHORTEST, text.length / BYTES_PER_MS);
        } catch (problem) {
            /* The banner tells when nobody answers; the next epoch or the next connection reads it again. */
            if (!(problem instanceof Problem)) throw problem;
        }
        this.#reading = false;
        if (this.#stale) this.#changed();
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
