/* scale.js - which values a chart's axes span, and where its figures stand. */

/** @typedef {import('./chart.js').Drawing} Drawing */

export const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';

/** The lowest and the highest of all that is in view, nothing cut off; null where there is nothing.
 * @param {Drawing} drawing @param {boolean} log @returns {[number, number] | null} */
function extent({ x, lines, bands = [], level, base, range }, log) {
    let low = Infinity;
    let high = -Infinity;
    const take = (/** @type {number | null | undefined} */ value) => {
        if (value === null || value === undefined || (log && value <= 0)) return;
        low = Math.min(low, value);
        high = Math.max(high, value);
    };
    take(level);
    take(base);
    for (const values of [...lines, ...bands.flat()]) {
        for (let i = 0; i < x.length; i++) {
            if (x[i] >= range[0] && x[i] <= range[1]) take(values[i]);
        }
    }
    return low <= high ? [low, high] : null;
}

/** The range of y for what is in view, with a little air. @param {Drawing} drawing @param {boolean} log
 * @returns {[number, number]} */
export function yRange(drawing, log) {
    const found = extent(drawing, log);
    if (!found) return log ? [0.1, 1] : [0, 1];
    const [low, high] = found;
    if (log) return low === high ? [low / 2, high * 2] : [low / 1.05, high * 1.05];
    const air = low === high ? Math.abs(low) / 2 || 0.5 : (high - low) * 0.05;
    return [low >= 0 ? Math.max(0, low - air) : low - air, high + air];
}

/** Round values on a logarithmic axis, at most seven where the range allows. @returns {number[]}
 * @param {any} _plot @param {number} _axis @param {number} low @param {number} high */
export function logSplits(_plot, _axis, low, high) {
    const first = Math.floor(Math.log10(low));
    const last = Math.ceil(Math.log10(high));
    const within = (/** @type {number[]} */ digits, step = 1) =>
        Array.from({ length: Math.ceil((last - first + 1) / step) }, (_, i) => 10 ** (first + i * step))
            .flatMap((power) => digits.map((digit) => Number((digit * power).toPrecision(2))))
            .filter((value) => value >= low && value <= high);
    const choices = [
        within([1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9]),
        within([1, 1.5, 2, 3, 5, 7]),
        within([1, 2, 5]),
        within([1]),
    ];
    return choices.find((values) => values.length <= 7) ?? within([1], Math.ceil((last - first) / 7));
}

const ruler = /** @type {CanvasRenderingContext2D} */ (document.createElement('canvas').getContext('2d'));
ruler.font = FONT;

/** Room for the widest of these texts; whole steps of width, so that a chart does not twitch as its figures change.
 * @param {any} _plot @param {string[] | null} texts */
export function widest(_plot, texts) {
    const width = Math.max(16, ...(texts ?? []).map((text) => ruler.measureText(text).width));
    return 14 + 8 * Math.ceil(width / 8);
}

/** 1, 2, 5, 10 …: round distances. @param {number} from power of ten @param {number} to */
export const decades = (from, to) =>
    Array.from({ length: to - from }, (_, i) => [1, 2, 5].map((first) => Number(`${first}e${from + i}`))).flat();

/** Round distances of time, in seconds. */
export const CLOCK_STEPS = [
    0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 36000, 86400,
];
