/* address.js - which runs are compared and how, as it stands in the page's address. */

/**
 * @typedef {'epochs' | 'seconds'} Axis
 * @typedef {{runs: number[], axis: Axis, log: boolean,
 *            zoom: Record<Axis, [number, number] | null>}} View axis: of the gaps; zoom: of all charts on that axis
 */

/** @param {string | null} text @returns {[number, number] | null} */
function readRange(text) {
    const found = /^(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)$/.exec(text ?? '');
    return found && Number(found[1]) < Number(found[2]) ? [Number(found[1]), Number(found[2])] : null;
}

/** @returns {View} */
export function readAddress() {
    const asked = new URLSearchParams(location.search);
    const numbers = (asked.get('runs') ?? '').split(',').map(Number);
    return {
        runs: [...new Set(numbers.filter((id) => Number.isInteger(id) && id > 0))],
        axis: asked.get('axis') === 'seconds' ? 'seconds' : 'epochs',
        log: asked.has('log'),
        zoom: { epochs: readRange(asked.get('epochs')), seconds: readRange(asked.get('seconds')) },
    };
}

/** @param {View} view */
export function addressOf(view) {
    const parts = view.runs.length ? [`runs=${view.runs.join()}`] : [];
    if (view.axis !== 'epochs') parts.push(`axis=${view.axis}`);
    if (view.log) parts.push('log');
    for (const axis of /** @type {Axis[]} */ (['epochs', 'seconds'])) {
        const range = view.zoom[axis];
        if (range) parts.push(`${axis}=${range.map((value) => Number(value.toPrecision(6))).join('..')}`);
    }
    return parts.length ? `/compare.html?${parts.join('&')}` : '/compare.html';
}
