/* connection.js - the stream of all runs for a page that follows none in particular, and what the page says of it.
 *
 * The page's head shows the phase, a banner appears when the connection is lost, and whenever the stream opens (again)
 * the page reads anew what it may have missed. A hidden window whose stream is its own gives it up after a while: a
 * browser has six connections for all of its windows. */

import { element, setText } from './dom.js';
import { Follower } from './events.js';
import { areShared } from './stream.js';

/** @typedef {import('./api.js').Run} Run */
/** @typedef {import('./events.js').Phase} Phase */

const HIDDEN_REST = 5000; /* ms */

const TEXTS = {
    connecting: 'Connecting',
    live: 'Live',
    lost: 'Reconnecting',
    gone: 'No connection',
    resting: 'Resting',
};

/** @param {Phase} phase @param {number} waiting ms */
function sentenceOf(phase, waiting) {
    if (phase === 'lost') return 'Connection lost. Trying again; nothing is lost.';
    if (phase !== 'gone') return null;
    const seconds = Math.max(1, Math.round(waiting / 1000));
    return `The Goodness server does not answer. This is what it last told; trying again every ${seconds} s.`;
}

export class Connection {
    #lost = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer = undefined;

    /** @param {{run: (run: Run) => void, connected: () => void}} handlers connected: read what there is */
    constructor(handlers) {
        this.handlers = handlers;
        this.follower = new Follower({
            run: handlers.run,
            lastStep: () => 0,
            points: () => {},
            epochs: () => {},
            histograms: () => {},
            dropped: () => {},
            missing: () => {},
            phase: (phase, waiting) => this.#show(phase, waiting),
        });
        element('retry-button').addEventListener('click', () => this.follower.connect());
        document.addEventListener('visibilitychange', () => this.#hiddenOrShown());
    }

    open() {
        this.follower.connect();
    }

    /** Something could not be read. @param {string} sentence */
    complain(sentence) {
        setText(element('banner-text'), sentence);
        element('banner').hidden = false;
    }

    /** @param {Phase} phase @param {number} waiting */
    #show(phase, waiting) {
        const sentence = sentenceOf(phase, waiting);

        element('link-state').dataset.phase = phase;
        setText(element('link-text'), TEXTS[phase]);
        document.body.classList.toggle('stale', phase === 'gone');
        if (phase === 'live') {
            element('banner').hidden = true;
            if (this.#lost) setText(element('announce'), 'Connected again.');
            this.#lost = false;
            this.handlers.connected();
        }
        if (!sentence) return;
        if (!(phase === 'gone' && waiting === 0)) this.complain(sentence);
        if (!this.#lost) setText(element('announce'), sentence);
        this.#lost = true;
    }

    #hiddenOrShown() {
        clearTimeout(this.#timer);
        if (document.hidden && !areShared()) this.#timer = setTimeout(() => this.follower.rest(), HIDDEN_REST);
        else if (!document.hidden && this.follower.phase === 'resting') this.follower.connect();
    }
}
