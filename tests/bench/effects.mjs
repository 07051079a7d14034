// effects.mjs - what every setting does to a small run: makes web/settings/effects.json anew, which the page of settings shows.
//
//     BENCH=.build-bench node tests/bench/effects.mjs [SETTING]...
//
// effects_table.mjs says what is measured. One run at a time, on one thread: some fifteen minutes of a core. MNIST must be where
// server/start puts it. With names of settings only theirs are measured, and the others' figures stay as they are.

import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { BASES, EFFECTS, cellsOf } from './effects_table.mjs';
import { build, main } from './support.mjs';

const FILE = path.join(import.meta.dirname, '../../web/settings/effects.json');

/** @type {Map<string, Promise<any>>} by configuration: many effects share the base itself */
const measured = new Map();

/** Train once; the line that ends the run. @param {Record<string, any>} config */
async function train(config) {
    const child = spawn(path.join(build, 'goodness'), ['train', '-'], { stdio: ['pipe', 'pipe', 'pipe'] });
    const [said, errors] = [text(child.stdout), text(child.stderr)];
    child.stdin.end(JSON.stringify({ config, placement: { stages: 1, threads: 1 } }));
    const last = (await said).trimEnd().split('\n').pop();
    if (!last) throw new Error(await errors);
    const run = JSON.parse(last);
    if (run.state !== 'finished') throw new Error(`${JSON.stringify(config)}: ${run.state}, ${run.reason}`);
    return run;
}

/** The same configuration is trained once. @param {Record<string, any>} config */
function trained(config) {
    const sorted = Object.fromEntries(Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1)));
    const key = createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
    if (!measured.has(key)) measured.set(key, train(config));
    return measured.get(key);
}

const mean = (numbers) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
const rounded = (number) => Number(number.toPrecision(4));

/** Mean, and its standard error where there are several. @param {number[]} numbers */
function figure(numbers) {
    const middle = mean(numbers);
    const squares = numbers.map((each) => (each - middle) ** 2);
    const error = Math.sqrt(squares.reduce((a, b) => a + b, 0) / (numbers.length - 1) / numbers.length);
    return numbers.length > 1 ? { mean: rounded(middle), error: rounded(error) } : { mean: rounded(middle) };
}

/** @type {Record<string, (run: any) => number>} */
const FIGURES = {
    error: ({ last }) => last.test_error,
    gap: ({ last }) => last.layers[0].gap,
    evaluating: ({ progress }) => progress.evaluating / progress.elapsed,
};

/** @param {typeof EFFECTS[number]} effect */
async function measure(effect) {
    const { setting, base, settings, shows = ['error', 'gap'] } = effect;
    const cells = [];
    let weights = null;
    let same = true;
    for (const { value, beside, configs } of cellsOf(effect)) {
        const runs = [];
        for (const config of configs) runs.push(await trained(config));
        const digests = runs.map(({ last }) => last.digest).join();
        same &&= digests === (weights ??= digests);
        const figures = shows.map((name) => [name, figure(runs.map(FIGURES[name]))]);
        cells.push({ value, beside, runs: runs.length, ...Object.fromEntries(figures) });
    }
    return { setting, base, settings, shows, same_weights: same, cells };
}

/** JSON with a line for every cell, so that what changed can be read. */
function written(effects) {
    const bases = Object.entries(BASES).map(([name, base]) => `        ${JSON.stringify(name)}: ${JSON.stringify(base)}`);
    const rows = effects.map(({ cells, ...effect }) => {
        const head = JSON.stringify(effect).slice(0, -1);
        return `        ${head}, "cells": [\n${cells.map((cell) => `            ${JSON.stringify(cell)}`).join(',\n')}]}`;
    });
    return `{\n    "bases": {\n${bases.join(',\n')}\n    },\n    "effects": [\n${rows.join(',\n')}\n    ]\n}\n`;
}

const percent = (share) => (share * 100).toFixed(2);

await main(async () => {
    const asked = process.argv.slice(2);
    const isAsked = ({ setting }) => !asked.length || asked.includes(setting.split('.')[0]);
    const kept = asked.length ? JSON.parse(await readFile(FILE, 'utf8')).effects : [];
    const effects = [];

    if (!EFFECTS.some(isAsked)) throw new Error(`effects_table.mjs has no effect of ${asked.join(', ')}`);
    for (const effect of EFFECTS) {
        if (!isAsked(effect)) {
            effects.push(kept.find(({ setting, base }) => setting === effect.setting && base === effect.base));
            continue;
        }
        const found = await measure(effect);
        effects.push(found);
        for (const { value, error } of found.cells)
            console.log(
                `${found.setting}\t${found.base}\t${JSON.stringify(value)}\t${percent(error.mean)} ± ${percent(error.error ?? 0)} %` +
                    `${found.same_weights ? '\tsame weights' : ''}`,
            );
    }
    await writeFile(FILE, written(effects));
});
