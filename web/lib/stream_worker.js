/* stream_worker.js - the one connection that all windows of a browser read events from (a SharedWorker).
 *
 * A window asks over its port, {open: url, number, lock}, and gets every event of that stream as it came, its data still
 * as text: {number, type, data}. {close: true} leaves. The first window that asks has the stream opened, the last that
 * leaves has it closed. When it breaks, all its windows are told and it is forgotten: each asks again when it wants to.
 *
 * A window that is killed says nothing. Each holds a lock while it lives, and who gets it here knows that the window is
 * gone. */

import { TYPES } from './stream.js';

/**
 * @typedef {{postMessage: (message: any) => void}} Port
 * @typedef {{source: EventSource, ports: Map<Port, number>}} Shared ports: with the number each asked by
 */

/** @type {Map<string, Shared>} by the stream's address */
const streams = new Map();
/** @type {WeakSet<Port>} whose window's end is waited for */
const watched = new WeakSet();

/** @param {Shared} stream @param {string} type @param {string} [data] */
function tell(stream, type, data) {
    for (const [port, number] of stream.ports) port.postMessage({ number, type, data });
}

/** @param {string} url @returns {Shared} */
function open(url) {
    const source = new EventSource(url);
    /** @type {Shared} */
    const stream = { source, ports: new Map() };

    streams.set(url, stream);
    source.addEventListener('open', () => tell(stream, 'open'));
    source.addEventListener('error', () => {
        source.close();
        if (streams.get(url) === stream) streams.delete(url);
        tell(stream, 'error');
    });
    for (const type of TYPES)
        source.addEventListener(type, (event) => tell(stream, type, /** @type {MessageEvent} */ (event).data));
    return stream;
}

/** @param {Port} port @param {string} url @param {number} number */
function join(port, url, number) {
    const stream = streams.get(url) ?? open(url);
    stream.ports.set(port, number);
    if (stream.source.readyState === EventSource.OPEN) port.postMessage({ number, type: 'open' });
}

/** @param {Port} port */
function leave(port) {
    for (const [url, stream] of streams) {
        if (!stream.ports.delete(port) || stream.ports.size) continue;
        stream.source.close();
        streams.delete(url);
    }
}

/** @param {Port} port @param {string} lock */
function watch(port, lock) {
    if (!lock || watched.has(port)) return;
    watched.add(port);
    navigator.locks.request(lock, () => leave(port));
}

/** @type {any} */ (globalThis).onconnect = (/** @type {MessageEvent} */ { ports: [port] }) => {
    port.onmessage = ({ data }) => {
        leave(port);
        if (!data.open) return;
        join(port, data.open, data.number);
        watch(port, data.lock);
    };
};
