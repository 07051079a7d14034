/* format.js - figures as people read them. What is not known is a dash, never a zero. */

export const UNKNOWN = '–';
const THIN = '\u202f';

const two = (/** @type {number} */ n) => String(n).padStart(2, '0');

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** @param {number | null | undefined} value @returns {value is number} */
const known = (value) => typeof value === 'number' && Number.isFinite(value);

/** A count: 36,000. @param {number | null | undefined} value */
export const count = (value) => (known(value) ? whole.format(value) : UNKNOWN);

/** A measured figure in four digits: 0.5931, −14.45, 1,204. @param {number | null | undefined} value */
export function figure(value) {
    if (!known(value)) return UNKNOWN;
    const size = Math.abs(value);
    const sign = value < 0 ? '−' : '';
    if (size >= 1e6 || (size > 0 && size < 1e-4)) return sign + size.toExponential(2);
    if (size >= 1000) return sign + whole.format(size);
    return sign + size.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4);
}

/**
 * A fraction of 1 as a percentage: 2.61 %.
 * @param {number | null | undefined} value
 * @param {number} [digits]
 */
export const percent = (value, digits = 2) => (known(value) ? (100 * value).toFixed(digits) + THIN + '%' : UNKNOWN);

/** Seconds: 4.2 s, 9 min 39 s, 2 h 05 min. @param {number | null | undefined} seconds */
export function duration(seconds) {
    if (!known(seconds)) return UNKNOWN;
    if (seconds < 9.95) return seconds.toFixed(1) + THIN + 's';
    const all = Math.round(seconds);
    if (all < 60) return all + THIN + 's';
    if (all < 3600) return `${Math.floor(all / 60)}${THIN}min ${two(all % 60)}${THIN}s`;
    const minutes = Math.round(all / 60);
    return `${Math.floor(minutes / 60)}${THIN}h ${two(minutes % 60)}${THIN}min`;
}

/** A place on an epochs axis: 3.92. @param {number | null | undefined} value */
export const epochs = (value) => (known(value) ? String(Number(value.toFixed(2))) : UNKNOWN);

/** A place on a time axis: 0.5 s, 45 s, 2:30, 1:02:05. @param {number} seconds */
export function clock(seconds) {
    if (seconds < 60) return Number(seconds.toFixed(3)) + THIN + 's';
    const all = Math.round(seconds);
    const hours = Math.floor(all / 3600);
    const minutes = Math.floor((all % 3600) / 60);
    return (hours ? `${hours}:${two(minutes)}` : String(minutes)) + ':' + two(all % 60);
}
