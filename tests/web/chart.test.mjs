/* Honest charts: what is drawn is what there is, and what is missing is seen to be missing. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { smoothed } from '../../web/lib/series.js';
import { closeBrowser, openPage, SHORT, stateIs } from './support.mjs';

after(closeBrowser);

/** In the page: a chart of one line, and ways to count the pixels of its colour between two values of x, above the foot of
 * the plot and in the foot, where marks stand. */
async function makeChart([line, log]) {
    const { Chart } = await import('/lib/chart.js');
    const { colour } = await import('/lib/theme.js');
    const host = document.createElement('div');
    host.style.width = '600px';
    host.style.height = '300px';
    document.body.prepend(host);
    const chart = new Chart(host, {
        title: 'a line',
        lines: [{ label: 'a line', colour: '--positive' }],
        log,
        xText: String,
    });
    const { plot } = chart;
    chart.draw({ x: line.map((_, i) => i), lines: [line], range: [0, line.length - 1] });
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const wanted = colour('--positive').match(/\d+/g).map(Number);
    const count = (from, to, top, bottom) => {
        const left = Math.round(plot.valToPos(from, 'x', true));
        const right = Math.round(plot.valToPos(to, 'x', true));
        const { top: y, height } = plot.bbox;
        const box = [left, Math.round(y + height * top), right - left, Math.round(height * (bottom - top))];
        const { data } = plot.ctx.getImageData(...box);
        let found = 0;
        for (let i = 0; i < data.length; i += 4)
            if (wanted.every((each, k) => Math.abs(data[i + k] - each) < 12) && data[i + 3] > 200) found++;
        return found;
    };
    window.look = {
        plot,
        above: (from, to) => count(from, to, 0, 0.88),
        foot: (from, to) => count(from, to, 0.88, 1),
    };
}

/** @param {(number | null)[]} values */
async function chartOf(t, values, log = false) {
    const { page } = await openPage(t);
    await page.evaluate(makeChart, [values, log]);
    return page;
}

test('an_outlier_is_not_cut_off', async (t) => {
    for (const log of [false, true]) {
        const values = [1, 1.1, 1.2, 5000, 1.1, 0.9, 1];
        const page = await chartOf(t, values, log);
        const { min, max } = await page.evaluate(() => window.look.plot.scales.y);
        assert.ok(min <= 0.9 && max >= 5000, `${min} to ${max}`);
    }
});

test('an_outlier_of_a_band_is_not_cut_off', async (t) => {
    const page = await chartOf(t, [1, 1, 1]);
    const { max } = await page.evaluate(async () => {
        const { yRange } = await import('/lib/scale.js');
        const [, high] = yRange({ x: [0, 1], lines: [[1, 1]], bands: [[[2, 900], [0, 0]]], range: [0, 1] }, false);
        return { max: high };
    });
    assert.ok(max >= 900);
});

test('a_value_that_is_not_known_is_a_gap_with_a_mark', async (t) => {
    const page = await chartOf(t, [2, 3, 3, null, 3, 3, 2]);
    const seen = await page.evaluate(() => {
        const { above, foot } = window.look;
        return { line: above(1, 2), gap: above(2.2, 3.8), mark: foot(2.8, 3.2), nowhere: foot(1.2, 2.2) };
    });
    assert.ok(seen.line > 20, 'the line before is drawn');
    assert.equal(seen.gap, 0, 'nothing is drawn through the gap');
    assert.ok(seen.mark > 5, 'the gap is marked');
    assert.equal(seen.nowhere, 0, 'nothing else is marked');
});

test('a_point_between_two_gaps_is_seen', async (t) => {
    const page = await chartOf(t, [1, 2, null, 2.5, null, 2, 1]);
    assert.ok((await page.evaluate(() => window.look.above(2.8, 3.2))) > 5);
});

test('a_single_point_is_seen', async (t) => {
    const page = await chartOf(t, [2]);
    assert.ok((await page.evaluate(() => window.look.above(0, 0.02))) > 2);
});

test('a_logarithmic_axis_is_true_and_marks_what_it_cannot_show', async (t) => {
    const page = await chartOf(t, [1, 10, 100, 0, 100, 10, 1], true);
    const seen = await page.evaluate(() => {
        const { plot, above, foot } = window.look;
        const [one, ten, hundred] = [1, 10, 100].map((value) => plot.valToPos(value, 'y'));
        return { first: one - ten, second: ten - hundred, gap: above(2.2, 3.8), mark: foot(2.8, 3.2) };
    });
    assert.ok(seen.first > 10 && Math.abs(seen.first - seen.second) < 0.01, 'ten times more is as far everywhere');
    assert.equal(seen.gap, 0, 'zero is not drawn as something else');
    assert.ok(seen.mark > 5, 'zero is marked');
});

/** The layer's CSV as columns by name. */
async function csvOf(page, selector) {
    const download = page.waitForEvent('download');
    await page.click(`${selector} [data-save="CSV"]`);
    const text = await readFile(await (await download).path(), 'utf8');
    const [head, ...rows] = text.trimEnd().split('\r\n').map((line) => line.split(','));
    return Object.fromEntries(head.map((name, i) => [name, rows.map((row) => Number(row[i]))]));
}

test('what_is_drawn_is_the_points_and_the_csv_gives_what_is_drawn', async (t) => {
    const { page } = await openPage(t, { config: SHORT });
    await stateIs(page, 'finished');
    await page.locator('input[name="axis"][value="steps"]').check();
    const points = await page.evaluate(() => window.goodness.points);
    await page.waitForFunction((last) => window.goodness.drawn[1]?.[0].at(-1) === last, points.steps.at(-1));
    const [x, positive, negative] = (await page.evaluate(() => window.goodness.drawn))[1];
    assert.deepEqual(x, points.steps);
    assert.deepEqual(positive, points.layers[1].positive);
    assert.deepEqual(negative, points.layers[1].negative);

    const csv = await csvOf(page, '[data-layer="1"]');
    assert.deepEqual(csv.step, points.steps);
    assert.deepEqual(csv.seconds, points.elapsed);
    for (const field of ['positive', 'negative', 'positive_low', 'negative_high', 'loss', 'accuracy'])
        assert.deepEqual(csv[field], points.layers[1][field], field);
});

test('smoothed_and_zoomed_the_csv_gives_what_is_drawn', async (t) => {
    const { page } = await openPage(t, { config: SHORT, address: '/?axis=steps&smoothing=1&zoom=8-24' });
    await stateIs(page, 'finished');
    await page.waitForFunction(() => window.goodness.drawn[0]?.[0].length > 0);
    const points = await page.evaluate(() => window.goodness.points);
    const stepsAnEpoch = points.steps.at(-1) / points.epochs.at(-1);
    const soft = smoothed(points.steps, points.layers[0].positive, stepsAnEpoch);
    const inView = points.steps.map((step, i) => [step, soft[i]]).filter(([step]) => step >= 8 && step <= 24);
    const [x, drawn] = (await page.evaluate(() => window.goodness.drawn))[0];
    const csv = await csvOf(page, '[data-layer="0"]');
    assert.deepEqual(csv.step, inView.map(([step]) => step));
    assert.deepEqual(csv.positive_smoothed, inView.map(([, value]) => value));
    assert.deepEqual(csv.positive_smoothed, drawn.filter((_, i) => x[i] >= 8 && x[i] <= 24));
    assert.equal(csv.positive, undefined, 'what is smoothed says so');
});
