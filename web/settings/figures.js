/* figures.js - what was measured of a setting, as a table, and in a sentence what of it is more than chance. */

import { make } from '../lib/dom.js';
import { settingText } from '../lib/settings.js';

/**
 * @typedef {{mean: number, error?: number}} Figure a mean over runs, and its standard error
 * @typedef {{value: any, beside?: Record<string, any>, runs: number, error: Figure, gap?: Figure, evaluating?: Figure}} Cell
 * @typedef {{setting: string, base: string, settings?: Record<string, any>, shows: string[], same_weights: boolean,
 *            cells: Cell[]}} Effect
 * @typedef {{bases: Record<string, {says: string, config: Record<string, any>}>, effects: Effect[]}} Effects
 */

/** A difference of so many standard errors is more than chance. */
const SEEN = 3;

const NAMES = {
    error: 'Error, %',
    gap: 'Gap of the first layer',
    evaluating: 'Share of the time that evaluation took, %',
};

/** @param {number[]} numbers */
const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

/**
 * What the standard error of an error is on a base, as a rule: three runs that lie together by chance are no surer than others.
 * @param {Effects} effects @param {string} base
 */
export const usualError = ({ effects }, base) =>
    median(
        effects
            .filter((effect) => effect.base === base)
            .flatMap(({ cells }) => cells.flatMap(({ error }) => error.error ?? [])),
    );

/** @param {number} share */
const points = (share) => (share * 100).toFixed(1);

/** @param {Effect} effect @param {number} usual */
function differenceOf({ cells, setting }, usual) {
    const sorted = [...cells].sort((a, b) => a.error.mean - b.error.mean);
    const [best, worst] = [sorted[0], sorted[sorted.length - 1]];
    const difference = worst.error.mean - best.error.mean;
    const error = Math.hypot(...[best, worst].map((cell) => Math.max(cell.error.error ?? 0, usual)));
    const told = `${points(difference)} ± ${points(error)} points`;
    if (difference < SEEN * error) return `No effect on the error is seen: the largest difference is ${told}.`;
    const [low, high] = [best, worst].map(({ value, beside }) => valueText(value, beside));
    return `Seen: ${setting} ${high} has ${told} more error than ${low}.`;
}

/**
 * @param {Effect} effect
 * @param {number} usual the standard error of an error, as a rule
 */
export function verdict(effect, usual) {
    const errors = effect.cells.map(({ error }) => error.mean);
    const told = effect.same_weights ? 'The weights are the same to the last bit at every value. ' : '';

    if (effect.cells.every(({ runs }) => runs === 1)) {
        const mean = errors.reduce((a, b) => a + b, 0) / errors.length;
        const deviation = Math.sqrt(errors.reduce((sum, error) => sum + (error - mean) ** 2, 0) / (errors.length - 1));
        return `Standard deviation between runs: ${points(deviation)} points. A smaller difference between two runs says nothing.`;
    }
    if (effect.same_weights && Math.max(...errors) === Math.min(...errors))
        return `${told}The error is the same too.`;
    return told + differenceOf(effect, usual);
}

/** @param {any} value @param {Record<string, any>} [beside] */
function valueText(value, beside = {}) {
    const others = Object.entries(beside).map(([name, each]) => `${name} ${settingText(each)}`);
    return settingText(value) + (others.length ? ` (${others.join(', ')})` : '');
}

/** @param {string} name @param {Figure | undefined} figure */
function figureText(name, figure) {
    if (!figure) return '–';
    const decimals = figure.error ? Math.max(0, 1 - Math.floor(Math.log10(figure.error))) : 3; /* two digits of the error */
    const text = (/** @type {number} */ number) => (name === 'gap' ? number.toFixed(decimals) : points(number));
    return text(figure.mean) + (figure.error === undefined ? '' : ` ± ${text(figure.error)}`);
}

/**
 * @param {Effect} effect
 * @param {Effects} effects
 * @returns {HTMLElement}
 */
export function figuresOf(effect, effects) {
    const { setting, base, shows, cells, settings = {} } = effect;
    const others = Object.entries(settings).map(([name, value]) => `${name} ${settingText(value)}`);
    const figures = /** @type {('error' | 'gap' | 'evaluating')[]} */ (shows);
    return make(
        'div',
        { class: 'measured' },
        make(
            'table',
            { class: 'reference' },
            make('caption', {}, [effects.bases[base].says, ...others].join(', ')),
            make(
                'thead',
                {},
                make(
                    'tr',
                    {},
                    ...[setting, ...figures.map((name) => NAMES[name])].map((text) => make('th', { scope: 'col' }, text)),
                ),
            ),
            make(
                'tbody',
                {},
                ...cells.map((cell) =>
                    make(
                        'tr',
                        {},
                        make('th', { scope: 'row' }, valueText(cell.value, cell.beside)),
                        ...figures.map((name) => make('td', { class: 'number' }, figureText(name, cell[name]))),
                    ),
                ),
            ),
        ),
        make('p', { class: 'verdict' }, verdict(effect, usualError(effects, base))),
    );
}
