/* connection.js - the stream of all runs for a page that follows none in particular, and what the page says of it.
 *
 * Whenever the stream opens (again) the page reads anew what it may have missed. A hidden window that has a stream of
 * its own gives it up after a while: a browser has six connections for all of its windows. */

import { showPhase, showTrouble } from './banner.js';
import { element } from './dom.js';
import { Follower } from './events.js';
import { areShared } from './stream.js';

/** @typedef {import('./api.js').Run} Run */

const HIDDEN_REST = 5000; /* ms */

export class Connection {
    /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer = undefined;

    /**
     * @param {{run: (run: Run) => void, deleted: (id: number) => void, connected: () => void}} handlers
     *        connected: read what there is
     */
    constructor(handlers) {
        this.follower = new Follower({
            run: handlers.run,
            lastStep: () => 0,
            points: () => {},
            epochs: () => {},
            histograms: () => {},
            dropped: () => {},
            deleted: handlers.deleted,
            missing: () => {},
            phase: (phase, waiting) => {
                showPhase(phase, waiting);
                if (phase === 'live') handlers.connected();
            },
        });
        element('retry-button').addEventListener('click', () => this.follower.connect());
        document.addEventListener('visibilitychange', () => this.#hiddenOrShown());
    }

    open() {
        this.follower.connect();
    }

    /** Something could not be read. @param {string} sentence */
    complain(sentence) {
        showTrouble(sentence);
    }

    #hiddenOrShown() {
        clearTimeout(this.#timer);
        if (document.hidden && !areShared()) this.#timer = setTimeout(() => this.follower.rest(), HIDDEN_REST);
        else if (this.follower.phase === 'resting') this.follower.connect();
    }
}
