/* columns.js - what a column of the list of runs shows of a run: its text, and the value it is sorted and asked by. */

import { count, duration, percent, UNKNOWN } from '../lib/format.js';
import { shareDone, stateText } from '../lib/run.js';
import { settingAt, settingText } from '../lib/settings.js';

/** @typedef {import('../lib/api.js').Run} Run */
/**
 * @typedef {object} Column
 * @property {string} id as it stands in the address and in a question
 * @property {string} title
 * @property {(run: Run) => string} text
 * @property {(run: Run) => string | number | null} value
 * @property {boolean} [numeric] set right
 * @property {boolean} [setting] of the configuration
 * @property {'state' | 'spark' | 'tags'} [look] drawn, not only written
 */

/** @param {string | null} time RFC 3339 */
const dateText = (time) =>
    time ? new Date(time).toLocaleString('sv', { dateStyle: 'short', timeStyle: 'short' }) : UNKNOWN;

/** @type {(id: string, title: string, value: (run: Run) => number | null | undefined,
 *          text: (value: number | null) => string) => Column} */
const figureColumn = (id, title, value, text) => {
    const known = (/** @type {Run} */ run) => value(run) ?? null;
    return { id, title, numeric: true, value: known, text: (run) => text(known(run)) };
};

/** @type {(id: string, title: string, text: (run: Run) => string, more?: Partial<Column>) => Column} */
const textColumn = (id, title, text, more = {}) => ({ id, title, value: text, text, ...more });

/** Columns that every run has, in the order of the table. @type {Column[]} */
export const FIXED = [
    textColumn('state', 'State', stateText, { look: 'state' }),
    figureColumn('progress', 'Done', shareDone, (share) => percent(share, 0)),
    figureColumn('best_error', 'Best test error', (run) => run.best?.test_error, percent),
    {
        id: 'history',
        title: 'Test error by epoch',
        value: (run) => run.best?.test_error ?? null,
        text: () => '',
        look: 'spark',
    },
    figureColumn('test_error', 'Last test error', (run) => run.last?.test_error, percent),
    figureColumn('train_error', 'Training error', (run) => run.last?.train_error, percent),
    figureColumn('epoch', 'Epochs done', (run) => run.last?.epoch ?? 0, count),
    figureColumn('seconds', 'Time', (run) => run.progress.elapsed, duration),
    figureColumn('speed', 'Images a second', (run) => run.progress.samples_per_second, count),
    figureColumn('parameters', 'Parameters', (run) => run.parameters, count),
    textColumn('preset', 'Preset', (run) => run.preset ?? UNKNOWN),
    textColumn('tags', 'Tags', (run) => run.tags.join(', '), { look: 'tags' }),
    textColumn('notes', 'Notes', (run) => run.notes),
    { id: 'created', title: 'Made', value: (run) => run.created, text: (run) => dateText(run.created) },
    { id: 'ended', title: 'Ended', value: (run) => run.ended, text: (run) => dateText(run.ended) },
];

/** Columns shown where nobody has chosen. */
export const USUAL = ['state', 'best_error', 'history', 'epoch', 'seconds', 'tags'];

/** Always there, in front. @type {Column[]} */
export const LEADING = [
    { id: 'id', title: '#', numeric: true, value: (run) => run.id, text: (run) => String(run.id) },
    textColumn('name', 'Name', (run) => run.name),
];

/** A setting's column. @param {string} path @returns {Column} */
export const settingColumn = (path) => ({
    id: path,
    title: path,
    setting: true,
    numeric: false,
    value: (run) => {
        const value = settingAt(run.config, path);
        return typeof value === 'number' ? value : settingText(value);
    },
    text: (run) => settingText(settingAt(run.config, path)),
});

/** @param {string} id @returns {Column | undefined} */
export const fixedColumn = (id) => [...LEADING, ...FIXED].find((column) => column.id === id);

/** By value, unknown ones last whichever way it goes; equal ones newest first.
 * @param {Column} column @param {boolean} falling @returns {(a: Run, b: Run) => number} */
export const byColumn = (column, falling) => (a, b) => {
    const [x, y] = [column.value(a), column.value(b)];
    if (x === y) return b.id - a.id;
    if (x === null || y === null) return x === null ? 1 : -1;
    const both = typeof x === 'number' && typeof y === 'number';
    const order = both ? x - y : String(x).localeCompare(String(y), 'en', { numeric: true });
    return (falling ? -order : order) || b.id - a.id;
};
