/* align.js - lines of several runs on one common axis.
 *
 * Runs were judged at epochs and seconds of their own. On the common axis a place where a run has no point is not a
 * gap in its line (undefined); a point whose value is not known is one (null), and is marked. */

/**
 * @typedef {{x: number[], y: (number | null)[]}} Line of a run, x rising
 * @typedef {(number | null | undefined)[]} Aligned
 */

/** Lines on one rising axis that has all their places. @param {Line[]} lines
 * @returns {{x: number[], lines: Aligned[]}} */
export function align(lines) {
    const x = [...new Set(lines.flatMap((line) => line.x))].sort((a, b) => a - b);
    const place = new Map(x.map((value, i) => [value, i]));
    return {
        x,
        lines: lines.map((line) => {
            /** @type {Aligned} */
            const values = new Array(x.length).fill(undefined);
            line.x.forEach((at, i) => (values[/** @type {number} */ (place.get(at))] = line.y[i]));
            return values;
        }),
    };
}

/** The last value at this place or before it; undefined before the first. @param {Aligned} values @param {number} at */
export function valueAt(values, at) {
    for (let i = at; i >= 0; i--) if (values[i] !== undefined) return values[i];
    return undefined;
}
