/* stream.js - a stream of events, shared by all windows of the browser where that can be had.
 *
 * A browser allows six connections to one server, and a stream holds one for as long as it lives: with one a window, the
 * seventh window would wait for ever. So one worker holds the stream for all of them (stream_worker.js). A browser
 * without shared workers, or one in which the worker does not start, has a stream a window.
 *
 * Both look as an EventSource does: events `open`, `error` and those of the stream, and close(). */

/** @typedef {EventTarget & {close(): void}} Stream */

/** The events of a stream. */
export const TYPES = ['state', 'points', 'epoch', 'histogram', 'change', 'dropped', 'deleted'];

let shares = typeof SharedWorker === 'function';
let opened = 0;
/** @type {SharedWorker | null} */
let worker = null;
/** @type {Promise<string> | null} the lock that this window holds while it lives */
let lock = null;

/** Whether streams are shared: then a hidden window costs no connection. */
export const areShared = () => shares;

/** Take a lock of this window's own; '' where there are none (they need a secure context). @returns {Promise<string>} */
function holdLock() {
    if (!navigator.locks) return Promise.resolve('');
    const name = `goodness window ${performance.timeOrigin} ${Math.random()}`;
    return new Promise((held) => {
        navigator.locks.request(name, () => {
            held(name);
            return new Promise(() => {});
        });
    });
}

/** The same events as an EventSource of this address, by way of the worker. */
class SharedStream extends EventTarget {
    /** @type {EventSource | null} instead, where the worker does not start */ #own = null;
    #closed = false;
    #number = ++opened;

    /** @param {string} url */
    constructor(url) {
        super();
        this.worker = worker ??= new SharedWorker('/lib/stream_worker.js', { type: 'module', name: 'goodness events' });
        this.take = (/** @type {MessageEvent} */ { data }) =>
            data.number === this.#number && this.#pass(data.type, data.data);
        this.broken = () => this.#replace(url);
        this.worker.addEventListener('error', this.broken);
        this.worker.port.addEventListener('message', this.take);
        this.worker.port.start();
        lock ??= holdLock();
        lock.then((name) => this.#ask({ open: url, number: this.#number, lock: name }));
    }

    /** @param {any} message */
    #ask(message) {
        if (!this.#closed || message.close) this.worker.port.postMessage(message);
    }

    /** @param {string} type @param {string} [data] */
    #pass(type, data) {
        this.dispatchEvent(data === undefined ? new Event(type) : new MessageEvent(type, { data }));
    }

    /** The worker could not be started: from now on this window has streams of its own. @param {string} url */
    #replace(url) {
        shares = false;
        if (this.#closed || this.#own) return;
        this.#own = new EventSource(url);
        for (const type of ['open', 'error', ...TYPES])
            this.#own.addEventListener(type, (event) => this.#pass(type, /** @type {MessageEvent} */ (event).data));
    }

    close() {
        if (this.#closed) return;
        this.#closed = true;
        this.#own?.close();
        this.worker.removeEventListener('error', this.broken);
        this.worker.port.removeEventListener('message', this.take);
        lock?.then(() => this.#ask({ close: true }));
    }
}

/** Open the stream at this address. @param {string} url @returns {Stream} */
export const openStream = (url) => (shares ? new SharedStream(url) : new EventSource(url));
