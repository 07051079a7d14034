/* connection.js - the stream of all runs for a page that follows none in particular, and what the page says of it.
 *
 * Whenever the stream opens (again) the page reads anew what it may have missed. */

import { showPhase, showTrouble } from './banner.js';
import { element } from './dom.js';
import { Follower } from './events.js';
import { restWhileHidden } from './rest.js';

/** @typedef {import('./api.js').Run} Run */

export class Connection {
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
        restWhileHidden(this.follower);
    }

    open() {
        this.follower.connect();
    }

    /** Something could not be read. @param {string} sentence */
    complain(sentence) {
        showTrouble(sentence);
    }
}
