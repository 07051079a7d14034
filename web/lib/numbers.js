/* numbers.js - small sums over arrays. */

/** @param {ArrayLike<number>} values */
export function sumOf(values) {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[i];
    return sum;
}

/** The largest distance from zero. @param {ArrayLike<number>} values */
export function farthest(values) {
    let most = 0;
    for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]));
    return most;
}

/** @param {number} value @param {number} low @param {number} high */
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
