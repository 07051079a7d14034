/* tables.js - the original's table of architectures, and the settings in which the runs differ. */

import { make } from '../lib/dom.js';
import { count, duration, percent } from '../lib/format.js';
import { differingValues, settingText } from '../lib/settings.js';

/**
 * @typedef {{epochs: number[], elapsed: number[], train_error: (number | null)[], test_error: (number | null)[],
 *            gaps: (number | null)[][]}} Series
 * @typedef {{id: number, name: string, preset: string | null, state: string, layers: any[], parameters: number,
 *            epochs: number, test_error: number | null, accuracy: number | null,
 *            best: {test_error: number, epoch: number} | null, seconds: number, evaluating: number,
 *            series: Series}} Compared
 * @typedef {{runs: Compared[], settings: {name: string, values: any[]}[]}} Comparison
 */

/** @param {string[]} texts @param {string[]} classes */
const headOf = (texts, classes) =>
    make(
        'thead',
        {},
        make('tr', {}, ...texts.map((text, i) => make('th', { scope: 'col', class: classes[i] }, text))),
    );

/** Accuracy as the original's table has it: 0.7240. @param {number | null} value */
const share = (value) => (value === null ? '–' : value.toFixed(4));

/** @param {Comparison} comparison @param {(id: number) => Node} sign @returns {HTMLTableElement} */
export function architectures({ runs }, sign) {
    const rows = runs.map((run) =>
        make(
            'tr',
            { 'data-run': String(run.id) },
            make(
                'th',
                { scope: 'row', class: 'text' },
                sign(run.id),
                make('a', { href: `/?run=${run.id}` }, run.name),
            ),
            make('td', { class: 'text' }, settingText(run.layers)),
            ...[
                count(run.layers.length),
                count(run.parameters),
                share(run.accuracy),
                percent(run.best?.test_error),
                count(run.series.epochs.at(-1) ?? 0),
                duration(run.seconds),
            ].map((text) => make('td', { class: 'number' }, text)),
            make('td', { class: 'text' }, run.state),
        ),
    );
    const heads = [
        'Run',
        'Architecture',
        'Layers',
        'Parameters',
        'Accuracy',
        'Best test error',
        'Epochs',
        'Time',
        'State',
    ];
    const classes = ['text', 'text', ...new Array(6).fill('number'), 'text'];
    const caption = make('caption', { class: 'hidden-text' }, 'Architectures: layers, parameters, accuracy, time');
    return make('table', { class: 'compared' }, caption, headOf(heads, classes), make('tbody', {}, ...rows));
}

/** A row a setting, a column a run; what most of the runs have is not marked. @param {Comparison} comparison
 * @param {(id: number) => Node} sign @returns {HTMLElement} */
export function settings({ runs, settings: differing }, sign) {
    if (runs.length < 2)
        return make('p', { class: 'note' }, 'Add another run: the settings in which they differ stand here.');
    if (!differing.length) return make('p', { class: 'note' }, 'These runs have the same settings.');
    const rows = differing
        .flatMap(differingValues)
        .map(({ name, values }) =>
            make(
                'tr',
                { 'data-setting': name },
                make(
                    'th',
                    { scope: 'row', class: 'text' },
                    make('a', { href: `/math.html#setting-${name.split('.')[0]}` }, name),
                ),
                ...values.map((value) => make('td', {}, settingText(value))),
            ),
        );
    const heads = runs.map(({ id, name }) => make('th', { scope: 'col', title: name }, sign(id), `run ${id}`));
    const head = make('tr', {}, make('th', { scope: 'col', class: 'text' }, 'Setting'), ...heads);
    const caption = make('caption', { class: 'hidden-text' }, 'Settings in which the runs differ');
    return make(
        'table',
        { class: 'compared differing' },
        caption,
        make('thead', {}, head),
        make('tbody', {}, ...rows),
    );
}
