/* address.js - what is shown stands in the page's address, so that it can be sent to a colleague.
 *
 * /?run=7&axis=steps&smoothing=0.3&log&zoom=1200-2400 ; the zoom in steps, whatever the axis. What is as usual
 * is left out. */

/** @typedef {'steps' | 'epochs' | 'seconds'} Axis */
/**
 * @typedef {{axis: Axis, smoothing: number, log: boolean, errorsLog: boolean,
 *            zoom: [number, number] | null}} View
 */

const AXES = ['steps', 'epochs', 'seconds'];

/** @returns {View} as the page looks when nobody has asked for anything else */
const usual = () => ({ axis: 'epochs', smoothing: 0, log: false, errorsLog: false, zoom: null });

/** @param {string | null} text @returns {[number, number] | null} */
function readRange(text) {
    const found = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(text ?? '');
    return found && Number(found[1]) < Number(found[2]) ? [Number(found[1]), Number(found[2])] : null;
}

/** @returns {{run: string | null, view: View}} */
export function readAddress() {
    const asked = new URLSearchParams(location.search);
    const view = usual();
    const axis = asked.get('axis');
    const smoothing = Number(asked.get('smoothing'));

    if (axis !== null && AXES.includes(axis)) view.axis = /** @type {Axis} */ (axis);
    if (smoothing > 0) view.smoothing = smoothing;
    view.log = asked.has('log');
    view.errorsLog = asked.has('errors-log');
    view.zoom = readRange(asked.get('zoom'));
    return { run: asked.get('run'), view };
}

/**
 * @param {number} run 0: none
 * @param {View} view
 * @returns {string}
 */
export function addressOf(run, view) {
    const parts = run ? [`run=${run}`] : [];
    const { axis, smoothing } = usual();

    if (view.axis !== axis) parts.push(`axis=${view.axis}`);
    if (view.smoothing !== smoothing) parts.push(`smoothing=${view.smoothing}`);
    if (view.log) parts.push('log');
    if (view.errorsLog) parts.push('errors-log');
    if (view.zoom) parts.push(`zoom=${Math.round(view.zoom[0])}-${Math.round(view.zoom[1])}`);
    return parts.length ? '/?' + parts.join('&') : '/';
}
