/* run.js - what can be read off a run: its state in words, how much is done, its settings as they are now. */

import { count } from './format.js';

/** @typedef {import('./api.js').Run} Run */

const PENDING = { pause: 'pausing', resume: 'resuming', stop: 'stopping' };
const MARK = {
    running: '▶',
    paused: '❚❚',
    finished: '✓',
    failed: '✗',
    stopped: '■',
    interrupted: '■',
    queued: '…',
};

/** @param {Run} run */
export const isFinal = (run) => ['finished', 'stopped', 'failed', 'interrupted'].includes(run.state);

/** Whether it holds the trainer: its network is there to be asked and turned. @param {Run} run */
export const isTraining = (run) => run.state === 'running' || run.state === 'paused';

/** @param {Run} run */
export const stateText = (run) => PENDING[/** @type {keyof typeof PENDING} */ (run.pending)] ?? run.state;

/** How much is done, 0 to 1. @param {Run} run */
export const shareDone = ({ progress }) => (progress.steps ? Math.min(1, progress.step / progress.steps) : 0);

/** For the tab: "▶ 37 % hinton 3". @param {Run} run */
export function titleOf(run) {
    const mark = MARK[/** @type {keyof typeof MARK} */ (run.state)] ?? '';
    const share = isFinal(run) ? '' : ` ${Math.floor(100 * shareDone(run))} %`;
    return `${mark}${share} ${run.name} – Goodness`;
}

/** A live setting as it is now: turned, or as the run began with it. @param {Run} run @param {string} name */
export const settingNow = (run, name) =>
    run.changes.filter((change) => name in change).at(-1)?.[name][1] ?? run.config[name];

/** "learning_rate 0.002 → 0.001 at step 400": the newest settings that were turned; '' when none were. @param {Run} run */
export function changesText(run) {
    const texts = run.changes.flatMap(({ step, ...settings }) =>
        Object.entries(settings).map(
            ([name, [before, after]]) =>
                `${name} ${JSON.stringify(before)} → ${JSON.stringify(after)} at step ${count(step)}`,
        ),
    );
    const earlier = texts.length - 2;
    return [...(earlier > 0 ? [`${earlier} earlier`] : []), ...texts.slice(-2)].join('; ');
}

/** What the objective holds goodness against; null where it does not. @param {Run} run @param {number} layer */
export function levelOf(run, layer) {
    const threshold = settingNow(run, 'threshold');
    if (run.config.objective !== 'logistic' || run.config.rule !== 'pairs') return null;
    return Array.isArray(threshold) ? (threshold[layer] ?? null) : threshold;
}
