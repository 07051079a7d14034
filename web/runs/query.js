/* query.js - which runs a person asks for: words, and columns held against values.
 *
 *     wide fashion              both words occur in number, name, state, preset, data set, tags or notes
 *     state:running tag:numpy   a column's text contains it
 *     best_error<2% epochs>=10  a column's number is less, or at least
 *     "two words"               as one
 *
 * A setting is asked for by its name, its parts with a dot (dropout.pixels>0). */

import { fixedColumn, settingColumn } from './columns.js';

/** @typedef {import('./columns.js').Run} Run */
/** @typedef {(run: Run) => boolean} Test */

const TERM = /^([a-z_0-9.]+)(<=|>=|<|>|=|:)(.*)$/i;
/** @type {Record<string, string>} */
const OTHER_NAMES = { tag: 'tags', error: 'best_error', time: 'seconds', note: 'notes' };

/** @type {Record<string, (a: number, b: number) => boolean>} */
const COMPARED = {
    '<': (a, b) => a < b,
    '>': (a, b) => a > b,
    '<=': (a, b) => a <= b,
    '>=': (a, b) => a >= b,
    '=': (a, b) => a === b,
};

/** "2%" is 0.02; NaN where it is no number. @param {string} text */
const numberOf = (text) =>
    text === '' ? NaN : text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text);

/** @param {Run} run */
const wordsOf = (run) =>
    [run.id, run.name, run.state, run.preset, run.config.dataset, ...run.tags, run.notes].join(' ').toLowerCase();

/** @param {string} word @returns {Test} */
const hasWord = (word) => (run) => wordsOf(run).includes(word.toLowerCase());

/**
 * @param {string} name
 * @param {string} operator
 * @param {string} wanted
 * @param {Set<string>} settings
 * @returns {Test | string} a sentence where it cannot be asked so
 */
function columnTest(name, operator, wanted, settings) {
    const id = OTHER_NAMES[name] ?? name;
    const column = fixedColumn(id) ?? (settings.has(id) ? settingColumn(id) : undefined);
    if (!column) return `No column and no setting is called ${name}.`;
    const number = numberOf(wanted);
    if (operator === ':' || (operator === '=' && Number.isNaN(number)))
        return (run) => column.text(run).toLowerCase().includes(wanted.toLowerCase());
    if (Number.isNaN(number)) return `${name}${operator} needs a number, not "${wanted}".`;
    return (run) => {
        const value = column.value(run);
        return typeof value === 'number' && COMPARED[operator](value, number);
    };
}

/**
 * @param {string} text
 * @param {Iterable<string>} settings names that can be asked for
 * @returns {{test: Test, problem: string | null}} problem: a sentence about what is not understood
 */
export function readQuery(text, settings) {
    const names = new Set(settings);
    const terms = text.match(/[^\s"]*"[^"]*"?|[^\s"]+/g) ?? [];
    /** @type {Test[]} */
    const tests = [];
    let problem = null;
    for (const term of terms) {
        const plain = term.replaceAll('"', '');
        const found = term.startsWith('"') ? null : TERM.exec(plain);
        const test = found ? columnTest(found[1].toLowerCase(), found[2], found[3], names) : hasWord(plain);
        if (typeof test === 'string') problem ??= test;
        else tests.push(test);
    }
    return { test: (run) => tests.every((each) => each(run)), problem };
}
