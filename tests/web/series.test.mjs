/* The points of a run: merged by step, bounded, and smoothed honestly. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIELDS, Series, smoothed } from '../../web/lib/series.js';

/** Points at these steps; every figure of a point is `value(step)`. */
function columns(steps, value = (step) => step) {
    const layer = Object.fromEntries(FIELDS.map((field) => [field, steps.map(value)]));
    return {
        steps,
        epochs: steps.map((step) => step / 100),
        elapsed: steps.map((step) => step / 50),
        layers: [layer],
    };
}

const range = (from, to, by = 1) =>
    Array.from({ length: Math.floor((to - from) / by) + 1 }, (_, i) => from + i * by);

test('points_that_are_known_are_not_taken_again', () => {
    const series = new Series();
    assert.equal(series.append(columns([5, 10, 15])), 3);
    assert.equal(series.append(columns([10, 15, 20])), 1);
    assert.equal(series.append(columns([5, 20])), 0);
    assert.deepEqual(series.steps, [5, 10, 15, 20]);
    assert.deepEqual(series.layers[0].positive, [5, 10, 15, 20]);
});

test('a_layer_that_comes_later_has_nulls_before', () => {
    const series = new Series();
    series.append(columns([1, 2]));
    const both = columns([3]);
    both.layers.push({ ...both.layers[0] });
    series.append(both);
    assert.deepEqual(series.layers[1].loss, [null, null, 3]);
});

test('memory_is_bounded_and_points_stay_in_order', () => {
    const series = new Series(64);
    for (const step of range(1, 100000)) series.append(columns([step]));
    assert.ok(series.length <= 64 && series.length > 24, `${series.length} points`);
    assert.ok(series.steps.every((step, i) => i === 0 || step > series.steps[i - 1]));
    assert.equal(series.last, 100000);
    assert.ok(series.coarse);
});

test('merging_keeps_means_lows_and_highs', () => {
    const series = new Series(8);
    series.append(columns(range(1, 9)));
    assert.equal(series.width, 2);
    assert.deepEqual(series.steps, [2, 4, 6, 8, 9]);
    assert.deepEqual(series.layers[0].positive, [1.5, 3.5, 5.5, 7.5, 9]);
    assert.deepEqual(series.layers[0].positive_low, [1, 3, 5, 7, 9]);
    assert.deepEqual(series.layers[0].positive_high, [2, 4, 6, 8, 9]);
});

test('means_are_weighted_by_the_steps_they_cover', () => {
    const series = new Series();
    series.width = 40;
    series.append(columns([30, 40], (step) => (step === 30 ? 1 : 5)));
    assert.deepEqual(series.steps, [40]);
    assert.equal(series.layers[0].loss[0], 2);
});

test('nothing_known_stays_nothing_known', () => {
    const series = new Series();
    series.width = 10;
    series.append(columns([5, 10, 15, 20], (step) => (step === 10 ? 7 : null)));
    assert.deepEqual(series.layers[0].loss, [7, null]);
});

for (const halfLife of [1, 30, 1000]) {
    test(`a_constant_stays_a_constant_when_smoothed_over_${halfLife}`, () => {
        const steps = range(7, 700, 7);
        for (const value of smoothed(
            steps,
            steps.map(() => 3.25),
            halfLife,
        ))
            assert.equal(value, 3.25);
    });
}

test('a_series_that_is_cut_goes_on_from_there', () => {
    const series = new Series(20);
    series.append(columns(range(1, 100)));
    assert.ok(series.coarse);
    series.cut(50);
    assert.ok(series.last <= 50 && series.last > 30);
    for (const layer of series.layers) for (const column of Object.values(layer)) assert.equal(column.length, series.length);
    series.append(columns(range(series.last + 1, 60)));
    assert.equal(series.last, 60);
    assert.deepEqual(series.steps, [...new Set(series.steps)].sort((a, b) => a - b));
    series.cut(1000);
    assert.equal(series.last, 60);
    series.cut(0);
    assert.equal(series.length, 0);
});

test('smoothing_does_not_depend_on_what_comes_later', () => {
    const steps = range(10, 1000, 10);
    const values = steps.map((step) => Math.sin(step));
    const all = smoothed(steps, values, 50);
    for (const length of [1, 2, 37])
        assert.deepEqual(smoothed(steps.slice(0, length), values.slice(0, length), 50), all.slice(0, length));
});

test('smoothing_does_not_depend_on_how_finely_a_series_is_cut', () => {
    const level = (step) => (step <= 500 ? 1 : 2);
    const fine = range(1, 1000);
    const coarse = range(50, 1000, 50);
    const a = smoothed(fine, fine.map(level), 120);
    const b = smoothed(coarse, coarse.map(level), 120);
    coarse.forEach((step, i) => assert.ok(Math.abs(a[step - 1] - b[i]) < 1e-9, `at step ${step}`));
});

test('smoothing_passes_over_what_is_not_known', () => {
    assert.deepEqual(smoothed([1, 2, 3], [null, 4, null], 10), [null, 4, null]);
    const values = [1, null, 3];
    assert.equal(smoothed([1, 2, 3], values, 0), values);
});
