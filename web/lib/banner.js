/* banner.js - how the connection is: a quiet banner when it is lost, what was known greyed when the server is gone. */

import { element, setText } from './dom.js';

/** @typedef {import('./events.js').Phase} Phase */

const TEXTS = {
    connecting: 'Connecting',
    live: 'Live',
    lost: 'Reconnecting',
    gone: 'No connection',
    resting: 'Resting',
};

/** @param {Phase} phase @param {number} waiting ms until it is tried again */
function sentenceOf(phase, waiting) {
    if (phase === 'lost') return 'Connection lost. Trying again; nothing of the run is lost.';
    if (phase !== 'gone') return '';
    const seconds = Math.max(1, Math.round(waiting / 1000));
    return `The Goodness server does not answer. This is what it last told; trying again every ${seconds} s.`;
}

/** Show the phase. @param {Phase} phase @param {number} waiting @returns {boolean} whether it was lost before */
export function showPhase(phase, waiting) {
    const sentence = sentenceOf(phase, waiting);
    const wasLost = !element('banner').hidden;

    element('link-state').dataset.phase = phase;
    setText(element('link-text'), TEXTS[phase]);
    element('banner').hidden = !sentence;
    document.body.classList.toggle('stale', phase === 'gone');
    if (sentence && !(phase === 'gone' && waiting === 0)) setText(element('banner-text'), sentence);
    if (sentence && !wasLost) setText(element('announce'), sentence);
    if (phase === 'live' && wasLost) setText(element('announce'), 'Connected again.');
    return wasLost;
}

/** The server answered, but not as hoped. @param {string} sentence */
export function showTrouble(sentence) {
    setText(element('banner-text'), sentence);
    element('banner').hidden = false;
}
