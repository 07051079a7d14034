/* tools.js - the switches over the charts. */

import { element } from '../lib/dom.js';

/** @typedef {import('./state.js').Live} Live */

/** The switches show what the view is. @param {Live} live */
export function showView({ view }) {
    const axis = /** @type {HTMLInputElement | null} */ (document.querySelector(`input[value="${view.axis}"]`));
    const smoothing = /** @type {HTMLSelectElement} */ (element('smoothing'));

    if (axis) axis.checked = true;
    smoothing.value = String(view.smoothing);
    if (smoothing.value === '') smoothing.value = '0';
    /** @type {HTMLInputElement} */ (element('log-scale')).checked = view.log;
    /** @type {HTMLInputElement} */ (element('errors-log')).checked = view.errorsLog;
}

/** @param {Live} live */
export function prepareTools(live) {
    const on = (/** @type {string} */ id, /** @type {(target: any) => object} */ change) =>
        element(id).addEventListener('change', ({ target }) => live.look(change(target)));

    showView(live);
    on('axis', ({ value }) => ({ axis: value }));
    on('smoothing', ({ value }) => ({ smoothing: Number(value) }));
    on('log-scale', ({ checked }) => ({ log: checked }));
    on('errors-log', ({ checked }) => ({ errorsLog: checked }));
    element('unzoom-button').addEventListener('click', () => live.zoomTo(null));
}
