/* address.js - what is shown stands in the page's address, so that it can be sent to a colleague.
 *
 * /?run=7&axis=steps&smoothing=0.3&log&zoom=1200-2400&units=1:24 ; the zoom in steps, whatever the axis. What is as usual
 * is left out. */

/** @typedef {'steps' | 'epochs' | 'seconds'} Axis */
/**
 * @typedef {object} View
 * @property {Axis} axis
 * @property {number} smoothing epochs
 * @property {boolean} log
 * @property {boolean} errorsLog
 * @property {[number, number] | null} zoom steps
 * @property {number | null} epoch whose histograms are shown; null: the newest
 * @property {[number, number]} units layer and first unit whose weights are shown
 * @property {{split: string, index: number} | null} sample the image that is asked about; null: a drawn one, or none
 * @property {number} span seconds of the timeline; 0: all there are
 */

const AXES = ['steps', 'epochs', 'seconds'];

/** @returns {View} as the page looks when nobody has asked for anything else */
const usual = () => ({
    axis: 'epochs',
    smoothing: 0,
    log: false,
    errorsLog: false,
    zoom: null,
    epoch: null,
    units: [0, 0],
    sample: null,
    span: 0.1,
});

/** @param {string | null} text @returns {[number, number] | null} */
function readRange(text) {
    const found = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(text ?? '');
    return found && Number(found[1]) < Number(found[2]) ? [Number(found[1]), Number(found[2])] : null;
}

/** @param {string | null} text @returns {View['sample']} */
function readSample(text) {
    const found = /^(test|train):(\d{1,9})$/.exec(text ?? '');
    return found && { split: found[1], index: Number(found[2]) };
}

/** @returns {{run: string | null, view: View}} */
export function readAddress() {
    const asked = new URLSearchParams(location.search);
    const view = usual();
    const axis = asked.get('axis');
    const smoothing = Number(asked.get('smoothing'));
    const units = /^(\d{1,4}):(\d{1,9})$/.exec(asked.get('units') ?? '');
    const span = asked.get('span');

    if (axis !== null && AXES.includes(axis)) view.axis = /** @type {Axis} */ (axis);
    if (smoothing > 0) view.smoothing = smoothing;
    view.log = asked.has('log');
    view.errorsLog = asked.has('errors-log');
    view.zoom = readRange(asked.get('zoom'));
    if (/^\d{1,9}$/.test(asked.get('epoch') ?? '')) view.epoch = Number(asked.get('epoch'));
    if (units) view.units = [Number(units[1]), Number(units[2])];
    view.sample = readSample(asked.get('sample'));
    if (span !== null && Number(span) >= 0) view.span = Number(span);
    return { run: asked.get('run'), view };
}

/**
 * @param {number} run 0: none
 * @param {View} view
 * @returns {string}
 */
export function addressOf(run, view) {
    const parts = run ? [`run=${run}`] : [];
    const { axis, smoothing, span } = usual();

    if (view.axis !== axis) parts.push(`axis=${view.axis}`);
    if (view.smoothing !== smoothing) parts.push(`smoothing=${view.smoothing}`);
    if (view.log) parts.push('log');
    if (view.errorsLog) parts.push('errors-log');
    if (view.zoom) parts.push(`zoom=${Math.round(view.zoom[0])}-${Math.round(view.zoom[1])}`);
    if (view.epoch !== null) parts.push(`epoch=${view.epoch}`);
    if (view.units.some((each) => each > 0)) parts.push(`units=${view.units.join(':')}`);
    if (view.sample) parts.push(`sample=${view.sample.split}:${view.sample.index}`);
    if (view.span !== span) parts.push(`span=${view.span}`);
    return parts.length ? '/?' + parts.join('&') : '/';
}
