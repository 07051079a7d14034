/* The sections of the live page below the layers' charts, in a real browser, on the real daemon. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { closeBrowser, drawn, LONG, openPage, SHORT, stateIs } from './support.mjs';

after(closeBrowser);

/** A section that is seen and has its code. */
async function scrollTo(page, selector) {
    await page.locator(selector).scrollIntoViewIfNeeded();
    await page.waitForFunction((at) => !document.querySelector(at).closest('[aria-busy="true"]'), selector);
}

const plain = (text) => text.replaceAll(/[\u202f\u00a0]/g, ' ');

/** A text of the page, once it has this form. */
async function textOf(page, selector, form) {
    await page.waitForFunction(
        ([at, pattern]) => new RegExp(pattern).test(document.querySelector(at).textContent),
        [selector, form.source],
    );
    return plain(await page.locator(selector).textContent());
}

/** How many different colours a canvas shows. */
const coloursOf = (page, selector) =>
    page.evaluate((at) => {
        const canvas = document.querySelector(`${at} canvas`) ?? document.querySelector(at);
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size;
    }, selector);

/** The rows of a CSV file that a button of the page gives. */
async function csvOf(page, selector) {
    const download = page.waitForEvent('download');
    await page.click(`${selector} [data-save="CSV"]`);
    const text = await readFile(await (await download).path(), 'utf8');
    return text
        .trimEnd()
        .split('\r\n')
        .map((line) => line.split(','));
}

/* --- histograms --- */

test('histograms_show_what_the_server_counted_and_the_slider_goes_back_through_the_epochs', async (t) => {
    const { page, daemon } = await openPage(t, { config: SHORT });
    await stateIs(page, 'finished');
    await scrollTo(page, '#histogram-cards');
    await textOf(page, '#histograms-which', /now: epoch 4/);
    const theirs = async (epoch) => (await daemon.get(`/api/v1/runs/1/histograms?epoch=${epoch}`)).layers;
    const mine = async (layer) => {
        const rows = await csvOf(page, `[data-histogram="${layer}"]`);
        assert.deepEqual(rows[0], ['from', 'to', 'positive', 'negative']);
        return rows.slice(1).map((row) => row.map(Number));
    };
    const rowsOf = ({ edges, positive, negative }) =>
        positive.map((count, i) => [edges[i], edges[i + 1], count, negative[i]]);
    for (const layer of [0, 1]) assert.deepEqual(await mine(layer), rowsOf((await theirs(4))[layer]));

    await page.focus('#histograms-epoch');
    await page.keyboard.press('Home');
    await textOf(page, '#histograms-which', /^epoch 1$/);
    assert.match(page.url(), /epoch=1(&|$)/);
    await page.waitForSelector('[data-histogram="0"] [data-save="CSV"]');
    assert.deepEqual(await mine(0), rowsOf((await theirs(1))[0]));
    assert.notDeepEqual((await theirs(1))[0], (await theirs(4))[0]);

    await page.reload();
    await scrollTo(page, '#histogram-cards');
    await textOf(page, '#histograms-which', /^epoch 1$/);
    await page.click('#histograms-live');
    await textOf(page, '#histograms-which', /now: epoch 4/);
});

test('histograms_are_live', async (t) => {
    const { page } = await openPage(t, { config: { ...LONG, layers: [64, 32], batch_size: 4 } });
    await drawn(page, 1);
    await scrollTo(page, '#histograms');
    const before = await textOf(page, '#histograms-images', /images counted/);
    await page.waitForFunction(
        (text) => document.querySelector('#histograms-images').textContent !== text,
        before,
    );
});

/* --- does it work --- */

test('the_confusion_matrix_is_the_servers_and_a_mistake_can_be_tried', async (t) => {
    /* One epoch at a rate that teaches little: there are mistakes. */
    const { page, daemon } = await openPage(t, { config: { ...SHORT, epochs: 1, learning_rate: 0.00001 } });
    await stateIs(page, 'finished');
    await scrollTo(page, '#confusion');
    const confusion = await daemon.get('/api/v1/runs/1/confusion');
    assert.ok(confusion.wrong > 0);
    await textOf(page, '#confusion-at', /epoch 1: .* wrong/);
    const rows = await csvOf(page, '#confusion');
    assert.deepEqual(
        rows.slice(1).map((row) => row.slice(1).map(Number)),
        confusion.matrix,
    );
    const [mistake] = confusion.mistakes;
    const first = page.locator('.mistake').first();
    assert.equal(await first.locator('.mistake-text').textContent(), `${mistake.truth} → ${mistake.label}`);
    await first.locator('canvas').waitFor();

    await first.click();
    const says = await textOf(page, '#trial-label', /It says/);
    assert.equal(says, `It says ${mistake.label}; it is a ${mistake.truth}`);
    assert.match(page.url(), new RegExp(`sample=test:${mistake.sample}`));
});

test('a_run_without_an_evaluation_says_when_errors_come', async (t) => {
    const { page } = await openPage(t, { config: LONG });
    await drawn(page, 1);
    await scrollTo(page, '#confusion');
    await textOf(page, '#confusion-empty', /when an epoch has been evaluated/);
    await textOf(page, '#mistakes-empty', /when an epoch has been evaluated/);
});

/* --- try it --- */

test('a_test_image_shows_what_every_layer_makes_of_it_under_every_label', async (t) => {
    const { page, daemon } = await openPage(t, { config: SHORT });
    await stateIs(page, 'finished');
    await scrollTo(page, '#trial');
    await textOf(page, '#trial-empty', /Draw a digit/);
    await page.fill('#trial-index', '17');
    await page.keyboard.press('Enter');
    const says = await textOf(page, '#trial-label', /It says/);
    const answer = await daemon.post('/api/v1/runs/1/predict', { sample: 17, split: 'test' });
    assert.ok(says.startsWith(`It says ${answer.label}`));
    const rows = (await csvOf(page, '#trial')).slice(1).map((row) => row.map(Number));
    assert.deepEqual(
        rows,
        answer.probabilities.map((chance, label) => [label, chance, ...answer.goodness.map((layer) => layer[label])]),
    );
    assert.ok((await coloursOf(page, '#trial-bars')) > 3);
    assert.match(page.url(), /sample=test:17/);
    await page.reload();
    await scrollTo(page, '#trial');
    await textOf(page, '#trial-label', /It says/);
    assert.equal(await page.inputValue('#trial-index'), '17');
});

test('a_network_that_is_shown_no_labels_has_probabilities_alone', async (t) => {
    const { page, daemon } = await openPage(t, {
        config: { ...SHORT, rule: 'backprop', normalize: 'none', layers: [32, 10] },
    });
    await stateIs(page, 'finished');
    await scrollTo(page, '#trial');
    await page.fill('#trial-index', '17');
    await page.keyboard.press('Enter');
    await textOf(page, '#trial-label', /It says/);
    const answer = await daemon.post('/api/v1/runs/1/predict', { sample: 17, split: 'test' });
    assert.deepEqual(
        answer.goodness.map((layer) => layer.length),
        [1, 1],
    );
    const rows = (await csvOf(page, '#trial')).slice(1).map((row) => row.map(Number));
    assert.deepEqual(
        rows,
        answer.probabilities.map((chance, label) => [label, chance]),
    );
    assert.equal(await page.locator('#trial-legend li').count(), 0);
});

test('a_drawn_digit_is_asked_about_by_mouse_and_by_key', async (t) => {
    const { page } = await openPage(t, { config: SHORT });
    await stateIs(page, 'finished');
    await scrollTo(page, '#trial');
    const asked = () => page.waitForRequest((request) => request.url().endsWith('/predict'));
    const inkOf = (request) => request.postDataJSON().image;
    const pad = page.locator('#trial-pad');
    const { width, height } = await pad.boundingBox();
    let request = asked();
    await pad.hover({ position: { x: width / 2, y: height / 4 } }); /* wherever it is once nothing moves */
    await page.mouse.down();
    for (const part of [0.4, 0.6, 0.75]) await pad.hover({ position: { x: width / 2, y: height * part } });
    await page.mouse.up();
    const image = inkOf(await request);
    assert.equal(image.length, 784);
    assert.ok(image.some((value) => value > 0.5) && image.every((value) => value >= 0 && value <= 1));
    await textOf(page, '#trial-label', /It says \d/);

    await page.click('#trial-clear');
    await page.waitForSelector('#trial-answer', { state: 'hidden' });
    await page.focus('#trial-pad');
    request = asked();
    for (const key of ['Space', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowRight', 'Space'])
        await page.keyboard.press(key);
    assert.ok(inkOf(await request).some((value) => value > 0.5));
    await textOf(page, '#trial-label', /It says \d/);
    await stateIs(page, 'finished'); /* space did not reach the run */
});

test('while_it_trains_it_is_asked_again_and_again', async (t) => {
    const { page } = await openPage(t, { config: LONG, address: '/?run=1&sample=test:3' });
    await drawn(page, 1);
    await scrollTo(page, '#trial');
    const first = await textOf(page, '#trial-facts', /at step/);
    await page.waitForFunction((text) => document.querySelector('#trial-facts').textContent !== text, first.replace(' %', '\u202f%'));
});

test('an_image_that_is_not_there_is_told_in_the_servers_words', async (t) => {
    const { page } = await openPage(t, { config: SHORT, address: '/?run=1&sample=test:100000' });
    await stateIs(page, 'finished');
    await scrollTo(page, '#trial');
    assert.match(await textOf(page, '#trial-error', /100000/), /0 to 99/);
    await page.click('#trial-clear');
    await page.waitForSelector('#trial-error', { state: 'hidden' });
    assert.doesNotMatch(page.url(), /sample/);
});

/* --- weights --- */

test('weights_are_shown_layer_by_layer_and_unit_by_unit', async (t) => {
    const { page, daemon } = await openPage(t, { config: { ...SHORT, layers: [64, 50] } });
    await stateIs(page, 'finished');
    await scrollTo(page, '#weights');
    await textOf(page, '#weights-high', /\d/);
    assert.equal(await page.locator('#weights-units').textContent(), 'units 0 to 39 of 64');
    assert.ok((await coloursOf(page, '#weights-pictures')) > 20);
    await page.click('#weights-after');
    await textOf(page, '#weights-units', /units 40 to 63 of 64/);
    assert.equal(await page.isDisabled('#weights-after'), true);
    await page.selectOption('#weights-layer', '1');
    await textOf(page, '#weights-what', /64 outputs of layer 0/);
    assert.match(page.url(), /units=1:0/);
    const rows = (await csvOf(page, '#weights')).slice(1);
    const answer = await fetch(`${daemon.url}/api/v1/runs/1/layers/1/weights?unit=0&count=40`);
    const theirs = [...new Float32Array(await answer.arrayBuffer())];
    assert.deepEqual(rows.flatMap((row) => row.slice(1).map(Number)), theirs);
});

/* --- knobs --- */

test('a_knob_is_turned_while_it_trains_marked_in_the_charts_and_listed_with_its_step', async (t) => {
    const { page, daemon } = await openPage(t, { config: LONG });
    await drawn(page, 1);
    await scrollTo(page, '#knobs');
    await page.waitForSelector('#knob-learning_rate');
    assert.equal(await page.isDisabled('#knobs-submit'), true, 'nothing was changed yet');
    await page.fill('#knob-learning_rate', '-3');
    await page.click('#knobs-submit');
    await page.waitForSelector('#knob-learning_rate-error:visible');
    assert.match(await page.locator('#knob-learning_rate-error').innerText(), /-3/);
    await page.fill('#knob-learning_rate', '0.0007');
    await page.click('#knobs-submit');
    await textOf(page, '#knobs-changes', /learning_rate/);
    const { changes } = await daemon.get('/api/v1/runs/1');
    const listed = await page.locator('#knobs-changes li').innerText();
    assert.equal(plain(listed).replaceAll(/[\s,]+/g, ' '), `step ${changes[0].step} learning_rate: ${changes[0].learning_rate.join(' → ')}`);
    assert.equal(await page.inputValue('#knob-learning_rate'), String(changes[0].learning_rate[1]));
    await scrollTo(page, '#layers-head');
    await page.waitForSelector('#legend-changes:not([hidden])');
});

test('a_stopped_run_goes_on_with_other_settings', async (t) => {
    const { page, daemon } = await openPage(t, { config: LONG });
    await drawn(page, 1);
    await page.click('#stop-button');
    await stateIs(page, 'stopped');
    await scrollTo(page, '#knobs');
    await page.fill('#knob-threshold', '1.5');
    assert.equal(await page.locator('#knobs-submit').innerText(), 'Resume with these');
    await page.click('#knobs-submit');
    await textOf(page, '#knobs-changes', /threshold: 1 → 1.5/);
    assert.deepEqual((await daemon.get('/api/v1/runs/1')).changes[0].threshold, [1, 1.5]);
});

test('a_run_that_is_over_has_no_knobs_to_turn', async (t) => {
    const { page } = await openPage(t, { config: SHORT });
    await stateIs(page, 'finished');
    await scrollTo(page, '#knobs');
    await page.waitForSelector('#knobs-why:visible');
    assert.equal(await page.isDisabled('#knob-learning_rate'), true);
    assert.equal(await page.isVisible('#knobs-submit'), false);
});

/* --- the pipeline --- */

test('the_timeline_shows_a_lane_a_stage_and_how_busy_it_is', async (t) => {
    const { page, daemon } = await openPage(t);
    await daemon.post('/api/v1/runs', { config: LONG, placement: { stages: 2, threads: 1 } });
    await drawn(page, 3);
    await scrollTo(page, '#timeline');
    await textOf(page, '#timeline-at', /\d+.% of the time at work/);
    assert.ok((await coloursOf(page, '#timeline-lanes')) > 3);
    await page.selectOption('#timeline-span', '0');
    assert.match(page.url(), /span=0/);
    const rows = (await csvOf(page, '#timeline')).slice(1);
    assert.deepEqual(new Set(rows.map(([stage]) => stage)), new Set(['0', '1']));
    assert.ok(rows.every(([, , , step, , duration]) => Number(step) > 0 && Number(duration) >= 0));
});

test('channels_of_convolutions_are_shown_as_squares', async (t) => {
    const conv = (channels, kernel, pool) => ({ kind: 'conv', channels, kernel, pool });
    const config = { ...SHORT, layers: [conv(20, 5, true), conv(30, 3, false), 40], rule: 'class_groups', batch_normalization: true };
    const { page, daemon } = await openPage(t, { config });
    await stateIs(page, 'finished');
    assert.match(plain(await page.locator('#layer-cards').textContent()), /20 channels, 5 × 5.*30 channels, 3 × 3.*40 units/);
    await scrollTo(page, '#weights');
    await textOf(page, '#weights-what', /a square of 5 × 5 for each channel/);
    assert.equal(await page.locator('#weights-units').textContent(), 'units 0 to 19 of 20');
    await page.selectOption('#weights-layer', '1');
    await textOf(page, '#weights-what', /a square of 3 × 3 for each channel/);
    assert.ok((await coloursOf(page, '#weights-pictures')) > 20);
    const rows = (await csvOf(page, '#weights')).slice(1);
    const answer = await fetch(`${daemon.url}/api/v1/runs/1/layers/1/weights?unit=0&count=30`);
    const values = new Float32Array(await answer.arrayBuffer());
    assert.deepEqual(rows.map((row) => row.slice(1).map(Number)), Array.from({ length: 30 }, (_, i) => [...values.slice(i * 180, (i + 1) * 180)]));
    await page.selectOption('#weights-layer', '2');
    await textOf(page, '#weights-units', /of 40/);
    assert.equal(await page.locator('#weights-error').isHidden(), true);
});
