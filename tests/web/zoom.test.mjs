/* What is in view, and finer points for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIELDS, Series, smoothed } from '../../web/lib/series.js';
import { translate, Zoom } from '../../web/lib/zoom.js';

const range = (from, to, by = 1) =>
    Array.from({ length: Math.floor((to - from) / by) + 1 }, (_, i) => from + i * by);

function columns(steps) {
    const layer = Object.fromEntries(FIELDS.map((field) => [field, steps.map((step) => Math.sin(step / 300))]));
    return { steps, epochs: steps.map((step) => step / 100), elapsed: steps.map((step) => step / 50), layers: [layer] };
}

/** A zoom over points at every step, which the page has merged to few; the answer of the server is every point. */
async function zoomed(low, high) {
    const series = new Series(40);
    for (const step of range(1, 4000)) series.append(columns([step]));
    const asked = [];
    globalThis.fetch = async (path) => {
        asked.push(path);
        const [, after, before] = /after=(\d+)&before=(\d+)/.exec(path);
        return Response.json(columns(range(Number(after) + 1, Number(before) - 1)));
    };
    const zoom = await new Promise((resolve) => {
        const made = new Zoom(series, () => resolve(made));
        made.set(1, [low, high]);
    });
    return { series, zoom, asked };
}

test('only_the_stretch_in_view_is_asked_for', async () => {
    const { series, asked } = await zoomed(1000, 1200);
    assert.equal(asked.length, 1);
    const [, after, before] = /after=(\d+)&before=(\d+)/.exec(asked[0]).map(Number);
    assert.ok(after <= 1000 && before > 1200 && before - after <= 200 + 2 * series.width + 1, asked[0]);
});

test('finer_points_stand_where_the_coarser_were_none_missing_none_twice_and_the_rest_stays', async () => {
    const { series, zoom } = await zoomed(1000, 1200);
    const { steps } = zoom.visible;
    for (const step of range(1000, 1200)) assert.ok(steps.includes(step), `step ${step}`);
    assert.ok(steps.every((step, i) => i === 0 || step > steps[i - 1]));
    const outside = (step) => step < 1000 - series.width || step > 1200 + series.width;
    assert.deepEqual(steps.filter(outside), series.steps.filter(outside));
});

test('a_smoothed_line_is_the_same_in_a_zoom_as_without', async () => {
    const { series, zoom } = await zoomed(2000, 2400);
    const all = smoothed(series.steps, series.layers[0].loss, 200);
    const part = smoothed(zoom.visible.steps, zoom.visible.layers[0].loss, 200);
    for (const [i, step] of series.steps.entries()) {
        if (step < 2000 || step > 2400) continue;
        const there = part[zoom.visible.steps.indexOf(step)];
        assert.ok(Math.abs(there - all[i]) < 0.02, `at step ${step}: ${there}, ${all[i]}`);
    }
});

test('live_points_and_a_run_that_goes_back_are_seen_in_a_zoom', async () => {
    const { zoom } = await zoomed(3900, 4000);
    zoom.append(columns([4001]));
    assert.equal(zoom.visible.last, 4001);
    zoom.cut(3950);
    assert.equal(zoom.visible.last, 3950);
});

test('a_place_on_one_axis_is_found_on_another', () => {
    assert.equal(translate([10, 20, 30], [1, 2, 3], 25), 2.5);
    assert.equal(translate([10, 20], [1, 2], 5), 0.5);
    assert.equal(translate([], [], 7), 7);
});
