/* The live page in a real browser, on the real daemon. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertAccessible, isWide, tryNow } from './pages.mjs';
import {
    assertPoints,
    assertSamePoints,
    closeBrowser,
    drawn,
    everySection,
    LONG,
    openPage,
    pointsUpTo,
    SHORT,
    stateIs,
} from './support.mjs';

after(closeBrowser);

/** How many pixels of a chart have about the colour of this token. */
const pixelsOf = (page, selector, token) =>
    page.evaluate(
        ([chart, name]) => {
            const probe = document.createElement('span');
            probe.style.color = `var(${name})`;
            document.body.append(probe);
            const [r, g, b] = getComputedStyle(probe).color.match(/\d+/g).map(Number);
            probe.remove();
            const canvas = document.querySelector(`${chart} canvas`);
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            let count = 0;
            for (let i = 0; i < data.length; i += 4) {
                if (
                    Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 24 &&
                    data[i + 3] > 200
                )
                    count++;
            }
            return count;
        },
        [selector, token],
    );

/** Wait until the daemon has points up to this step. */
async function storedBeyond(daemon, step) {
    for (;;) {
        const { next } = await daemon.get(`/api/v1/runs/1/metrics?after=${step}`);
        if (next > step) return;
    }
}

const name = (page) => page.locator('#run-name').inputValue();

test('an_empty_page_says_what_to_do_and_one_button_does_it', async (t) => {
    const { page, daemon } = await openPage(t);
    await page.waitForSelector('#empty-title');
    assert.equal(await page.locator('#run').isVisible(), false);
    await page.click('#empty-start');
    await stateIs(page, 'finished');
    assert.match(page.url(), /\?run=1$/);
    await assertSamePoints(page, daemon, 1);
});

test('every_layer_of_a_live_run_is_drawn_on_positive_and_on_negative_data', async (t) => {
    const { page } = await openPage(t, { config: LONG });
    await drawn(page, 20);
    for (const layer of [0, 1, 2]) {
        const card = `[data-layer="${layer}"]`;
        assert.ok((await pixelsOf(page, card, '--positive')) > 40, `positive of layer ${layer}`);
        assert.ok((await pixelsOf(page, card, '--negative')) > 20, `negative of layer ${layer}`);
        assert.match(await page.locator(`${card} .layer-figures dd.positive`).innerText(), /^\d/);
    }
    const before = await page.evaluate(() => window.goodness.points.steps.at(-1));
    await page.waitForFunction((last) => window.goodness.points.steps.at(-1) > last, before);
    assert.match(await page.title(), /^▶ \d+ % /);
});

test('a_finished_run_is_whole_with_errors_and_log', async (t) => {
    const { page, daemon } = await openPage(t, { config: SHORT });
    await stateIs(page, 'finished');
    await page.waitForFunction(() => window.goodness.epochs.length === 4);
    await assertSamePoints(page, daemon, 1);
    const { epochs } = await daemon.get('/api/v1/runs/1/epochs');
    assert.deepEqual(
        await page.evaluate(() => window.goodness.epochs.map((row) => row.digest)),
        epochs.map((row) => row.digest),
    );
    await page.locator('#log').scrollIntoViewIfNeeded();
    await page.waitForFunction(() => document.querySelector('#log').textContent.includes('Epoch 4:'));
    await page.locator('#errors-chart').scrollIntoViewIfNeeded();
    await page.waitForSelector('#errors-chart canvas');
    await page.waitForFunction(() => document.querySelector('#errors-empty').hidden);
    assert.ok((await pixelsOf(page, '#errors-chart', '--test')) > 20);
    const shown = await page.locator('#error-now').innerText();
    assert.equal(shown.replace('\u202f', ' '), (100 * epochs[3].test_error).toFixed(2) + ' %');
    assert.equal(await page.locator('#stop-button').isVisible(), false);
});

test('pause_resume_and_stop_by_button', async (t) => {
    const { page, daemon } = await openPage(t, { config: LONG });
    await page.click('#pause-button');
    await stateIs(page, 'paused');
    assert.equal((await daemon.get('/api/v1/runs/1')).state, 'paused');
    await page.click('#resume-button');
    await stateIs(page, 'running');
    await page.click('#stop-button');
    await stateIs(page, 'stopped');
    assert.match(await page.locator('#announce').textContent(), /is stopped/);
    await assertSamePoints(page, daemon, 1);
});

test('a_stopped_run_goes_on_by_button_without_a_missing_or_doubled_point', async (t) => {
    const { page, daemon } = await openPage(t, { config: LONG });
    await drawn(page, 1);
    await page.click('#stop-button');
    await stateIs(page, 'stopped');
    const { progress } = await daemon.get('/api/v1/runs/1');
    await page.click('#continue-button');
    await page.click('#continue-submit');
    await pointsUpTo(page, progress.step + 20);
    await page.click('#stop-button');
    await stateIs(page, 'stopped');
    await assertSamePoints(page, daemon, 1);
});

test('a_finished_run_goes_on_to_more_epochs_by_the_keyboard_alone', async (t) => {
    const { page, daemon } = await openPage(t, { config: SHORT });
    await stateIs(page, 'finished');
    assert.equal(await page.locator('#resume-button').isVisible(), false);
    await page.focus('#run-name');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'continue-button');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#continue[open]');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'continue-epochs');
    assert.match(await page.locator('#continue-what').innerText(), /Run 1 is finished, 32 of its 32 steps done.*checkpoint/);
    assert.match(await page.locator('#continue-schedule').innerText(), /schedule \(linear\)/);
    await page.keyboard.type('7');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => window.goodness.epochs.length === 7);
    await stateIs(page, 'finished');
    assert.equal((await daemon.get('/api/v1/runs/1')).config.epochs, 7);
    assert.equal(await page.evaluate(() => window.goodness.run.progress.epochs), 7);
    await assertSamePoints(page, daemon, 1);
});

test('what_a_run_cannot_go_on_with_is_said_at_its_field', async (t) => {
    const { page, daemon } = await openPage(t, { config: { ...SHORT, schedule: 'constant' } });
    await stateIs(page, 'finished');
    await page.click('#continue-button');
    assert.equal(await page.locator('#continue-schedule').isVisible(), false);
    const refused = async (name, words) => {
        await page.click('#continue-submit');
        await page.waitForFunction(
            ([id, text]) => document.querySelector(`#continue-${id}-error`).textContent.includes(text),
            [name, words],
        );
        assert.equal(await page.evaluate(() => document.activeElement.id), `continue-${name}`);
        assert.equal(await page.locator(`#continue-${name}`).getAttribute('aria-invalid'), 'true');
    };
    for (const wrong of ['4', '', 'ten', '7.5', '-9']) {
        await page.fill('#continue-epochs', wrong);
        await refused('epochs', 'must be a whole number, 5 or more');
    }
    await page.fill('#continue-epochs', '1000001');
    await refused('epochs', 'the sum must be a whole number');
    await page.fill('#continue-epochs', '5');
    await page.selectOption('#continue-placement', 'own');
    await page.fill('#continue-threads', '0');
    await refused('threads', 'from 1 to 256');
    await page.fill('#continue-threads', '1');
    await page.fill('#continue-stages', 'two');
    await refused('stages', 'must be a whole number, got a string');
    assert.equal((await daemon.get('/api/v1/runs/1')).state, 'finished');
    await page.fill('#continue-stages', '2');
    await page.click('#continue-submit');
    await page.waitForFunction(() => window.goodness.epochs.length === 5);
    const { placement } = await daemon.get('/api/v1/runs/1?wait=300');
    assert.deepEqual({ stages: placement.stages, threads: placement.threads }, { stages: 2, threads: 1 });
});

test('a_run_that_goes_on_already_says_so_in_the_dialog', async (t) => {
    const { page, daemon } = await openPage(t, { config: SHORT });
    await stateIs(page, 'finished');
    await page.click('#continue-button');
    await daemon.post('/api/v1/runs/1/resume', { epochs: 900000 });
    await stateIs(page, 'running');
    await page.click('#continue-submit');
    await page.waitForFunction(() => /stop it first/.test(document.querySelector('#continue-error').textContent));
    assert.equal(await page.locator('#continue').isVisible(), true);
});

test('a_setting_turned_while_it_trains_is_marked_and_said', async (t) => {
    const { page, daemon } = await openPage(t, { config: LONG });
    await drawn(page, 1);
    assert.equal(await page.locator('#legend-changes').isVisible(), false);
    const { changes } = await daemon.patch('/api/v1/runs/1', { config: { learning_rate: 0.0005 } });
    await page.waitForSelector('#legend-changes:not([hidden])');
    assert.equal(
        (await page.locator('#changes-text').textContent()).replace(/[\u202f\u00a0 ,]/g, ''),
        `learning_rate${changes[0].learning_rate.join('→')}atstep${changes[0].step}`,
    );
});

test('space_pauses_and_resumes', async (t) => {
    const { page } = await openPage(t, { config: LONG });
    await drawn(page, 1);
    await page.keyboard.press('Space');
    await stateIs(page, 'paused');
    await page.keyboard.press('Space');
    await stateIs(page, 'running');
});

test('keys_open_the_form_the_list_and_the_help', async (t) => {
    const { page } = await openPage(t, { config: SHORT });
    await stateIs(page, 'finished');
    for (const [key, selector] of [
        ['n', '#start[open]'],
        ['?', '#keys[open]'],
        ['/', '#runs:popover-open'],
    ]) {
        await page.keyboard.press(key);
        await page.waitForSelector(selector);
        await page.keyboard.press('Escape');
        await page.waitForSelector(selector, { state: 'hidden' });
    }
});

test('the_form_starts_what_it_says_and_shows_every_refusal_at_its_field', async (t) => {
    const { page, daemon } = await openPage(t);
    await page.click('#new-button');
    await page.waitForSelector('.preset');
    assert.equal(await page.locator('#setting-learning_rate').isVisible(), false, 'settings are folded away');
    await page.click('#start-settings summary');
    await page.fill('#setting-learning_rate', '-1');
    await page.fill('#setting-batch_size', 'many');
    await page.click('#start-submit');
    const complaint = page.locator('#setting-learning_rate-error');
    await complaint.waitFor();
    assert.match(await complaint.innerText(), /-1/);
    assert.ok(await page.locator('#setting-batch_size-error').isVisible());
    assert.equal(await page.locator('#setting-learning_rate').getAttribute('aria-invalid'), 'true');
    assert.equal(await page.locator('#setting-epochs-error').isVisible(), false);
    assert.equal(await page.evaluate(() => document.activeElement.closest('.field') !== null), true);

    await page.fill('#setting-learning_rate', '0.01, 0.02');
    await page.fill('#setting-batch_size', '50');
    await page.fill('#setting-layers', '24, 12');
    await page.fill('#setting-epochs', '2');
    await page.uncheck('#setting-shuffle');
    await page.fill('#start-name', 'from the form');
    await page.click('#start-submit');
    await stateIs(page, 'finished');
    const { config, name: kept } = await daemon.get('/api/v1/runs/1');
    assert.equal(kept, 'from the form');
    assert.deepEqual(
        [config.learning_rate, config.batch_size, config.layers, config.epochs, config.shuffle],
        [[0.01, 0.02], 50, [24, 12], 2, false],
    );
});

test('a_preset_fills_the_form', async (t) => {
    const { page, daemon } = await openPage(t);
    const { presets } = await daemon.get('/api/v1/presets');
    const preset = presets.find((each) => each.name === 'original-small');
    await page.click('#new-button');
    await page.click('.preset:has(input[value="original-small"])');
    await page.click('#start-settings summary');
    assert.equal(await page.locator('#setting-layers').inputValue(), preset.config.layers.join(', '));
    assert.equal(await page.locator('#setting-objective').inputValue(), preset.config.objective);
});

test('a_run_is_renamed_in_place', async (t) => {
    const { page, daemon } = await openPage(t, { config: SHORT });
    await stateIs(page, 'finished');
    const old = await name(page);
    await page.fill('#run-name', 'nobody keeps this');
    await page.keyboard.press('Escape');
    assert.equal(await name(page), old);
    await page.fill('#run-name', 'a better name');
    const sent = page.waitForResponse((response) => response.request().method() === 'PATCH');
    await page.keyboard.press('Enter');
    assert.equal((await sent).status(), 200);
    assert.equal((await daemon.get('/api/v1/runs/1')).name, 'a better name');
    await page.waitForFunction(() => document.title.includes('a better name'));
});

test('earlier_runs_are_picked_from_the_list_and_stand_in_the_address', async (t) => {
    const { page, daemon } = await openPage(t, { config: SHORT });
    await stateIs(page, 'finished');
    await daemon.post('/api/v1/runs', {
        name: 'the second',
        config: { ...SHORT, dataset: 'second', layers: [20] },
    });
    await page.waitForFunction(() => document.querySelector('#runs-count').textContent === '2');
    await page.click('#runs-button');
    await page.click('#runs-list a[data-run="2"]');
    await page.waitForFunction(() => window.goodness.run?.id === 2 && window.goodness.run.state === 'finished');
    assert.match(page.url(), /\?run=2$/);
    await page.waitForFunction(() => document.querySelectorAll('.card[data-layer]').length === 1);
    await assertSamePoints(page, daemon, 2);
    await page.goBack();
    await page.waitForFunction(() => window.goodness.run?.id === 1);
    await assertSamePoints(page, daemon, 1);
});

test('an_address_of_a_run_that_is_not_there_says_so', async (t) => {
    const { page } = await openPage(t, { address: '/?run=77' });
    await page.waitForSelector('#missing-title');
    assert.match(await page.locator('#missing-text').innerText(), /77/);
});

test('what_is_shown_stands_in_the_address', async (t) => {
    const { page } = await openPage(t, { config: SHORT });
    await stateIs(page, 'finished');
    await page.check('#log-scale');
    await page.selectOption('#smoothing', '0.3');
    await page.locator('input[name="axis"][value="seconds"]').check();
    assert.match(page.url(), /\?run=1&axis=seconds&smoothing=0.3&log$/);
    await page.reload();
    await stateIs(page, 'finished');
    assert.equal(await page.isChecked('#log-scale'), true);
    assert.equal(await page.locator('#smoothing').inputValue(), '0.3');
    assert.equal(await page.isChecked('input[value="seconds"]'), true);
});

test('dragging_zooms_all_layers_and_a_double_click_shows_all', async (t) => {
    const { page } = await openPage(t, { config: SHORT });
    await stateIs(page, 'finished');
    const plot = page.locator('[data-layer="0"] .u-over');
    const { x, y, width } = await plot.boundingBox();
    await page.mouse.move(x + width * 0.25, y + 40);
    await page.mouse.down();
    await page.mouse.move(x + width * 0.75, y + 60, { steps: 4 });
    await page.mouse.up();
    await page.waitForSelector('#unzoom-button:visible');
    const [, from, to] = /zoom=(\d+)-(\d+)/.exec(page.url());
    const { last } = await page.evaluate(() => ({ last: window.goodness.points.steps.at(-1) }));
    assert.ok(
        Math.abs(from - last * 0.25) < last * 0.05 && Math.abs(to - last * 0.75) < last * 0.05,
        `${from}-${to} of ${last}`,
    );
    await plot.dblclick();
    await page.waitForSelector('#unzoom-button', { state: 'hidden' });
    assert.doesNotMatch(page.url(), /zoom/);
});

test('a_zoom_fetches_finer_points', async (t) => {
    const { page, daemon } = await openPage(t, { config: { layers: [8], batch_size: 4, epochs: 8 } });
    await stateIs(page, 'finished');
    const last = (await daemon.get('/api/v1/runs/1')).progress.steps;
    assert.ok((await page.evaluate(() => window.goodness.points.steps.length)) < last);
    const finer = [...Array(99).keys()].map((i) => 201 + i);
    const has = (steps) => steps.every((step) => window.goodness.points.steps.includes(step));
    assert.ok(!(await page.evaluate(has, finer)));
    await page.goto(page.url().replace(/\?.*/, '?run=1&zoom=200-300'));
    await page.waitForFunction(has, finer);
});

test('one_crosshair_for_all_layers_by_mouse_and_by_key', async (t) => {
    const { page } = await openPage(t, { config: SHORT });
    await stateIs(page, 'finished');
    await page.hover('[data-layer="0"] .u-over');
    await page.waitForFunction(() => {
        const texts = [...document.querySelectorAll('.card .at')].filter((each) => each.closest('[data-layer]'));
        return texts.every((each) => each.textContent !== '' && each.textContent === texts[0].textContent);
    });
    await page.mouse.move(1, 1);
    await page.waitForFunction(() => document.querySelector('[data-layer="1"] .at').textContent === '');
    await page.focus('[data-layer="1"] .chart');
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    const second = await page.evaluate(() => window.goodness.points.steps[1]);
    await page.waitForFunction(
        (step) => document.querySelector('[data-layer="0"] .at').textContent === `at step ${step}`,
        second,
    );
    await page.keyboard.press('Escape');
    await page.waitForFunction(() => document.querySelector('[data-layer="0"] .at').textContent === '');
});

test('behind_every_chart_is_a_table_of_what_it_draws', async (t) => {
    const { page } = await openPage(t, { config: SHORT });
    await stateIs(page, 'finished');
    await page.click('[data-layer="0"] summary');
    await page.waitForSelector('[data-layer="0"] tbody tr');
    const steps = await page.locator('[data-layer="0"] tbody tr td:first-child').allInnerTexts();
    assert.deepEqual(steps.map(Number), (await page.evaluate(() => window.goodness.points.steps)).reverse());
    await page.click('#errors summary');
    await page.waitForSelector('#errors tbody tr');
    assert.equal(await page.locator('#errors tbody tr').count(), 4);
});

test('charts_can_be_had_as_png_and_as_csv', async (t) => {
    const { page, daemon } = await openPage(t, { config: SHORT });
    await stateIs(page, 'finished');
    for (const [button, file] of [
        ['[data-layer="1"] [data-save="PNG"]', 'run-1-layer-1.png'],
        ['#errors [data-save="PNG"]', 'run-1-error.png'],
    ]) {
        const download = page.waitForEvent('download');
        await page.click(button);
        assert.equal((await download).suggestedFilename(), file);
    }
    for (const link of ['#points-csv', '#errors-csv', '#log-link']) {
        const response = await fetch(daemon.url + (await page.getAttribute(link, 'href')));
        assert.equal(response.status, 200);
        assert.match(response.headers.get('Content-Type'), /^text\//);
    }
});

test('a_connection_that_was_cut_is_told_and_repaired_without_a_missing_or_doubled_point', async (t) => {
    const { page, daemon, line } = await openPage(t, { config: LONG, line: true });
    await drawn(page, 5);
    line.cut();
    await page.waitForSelector('#banner:visible');
    const seen = await page.evaluate(() => window.goodness.points.steps.at(-1));
    await storedBeyond(daemon, seen + 20);
    line.mend();
    await tryNow(page);
    await page.waitForSelector('#banner', { state: 'hidden' });
    await page.click('#pause-button');
    await stateIs(page, 'paused');
    await assertSamePoints(page, daemon, 1);
});

test('a_daemon_that_is_gone_leaves_what_was_known_greyed_and_is_found_again', async (t) => {
    const { page, daemon } = await openPage(t, { config: LONG, line: true });
    await drawn(page, 10);
    await daemon.end('SIGKILL');
    await page.waitForSelector('body.stale #run:visible');
    assert.match(await page.locator('#banner-text').innerText(), /does not answer/);
    assert.ok((await page.evaluate(() => window.goodness.points.steps.length)) >= 10);
    await daemon.start();
    await tryNow(page);
    await page.waitForSelector('#banner', { state: 'hidden' });
    await page.waitForSelector('body:not(.stale)');
    await stateIs(page, 'interrupted');

    /* Points that the page had seen and the dead daemon had not stored stay; all that is stored is there, once. */
    const theirs = await daemon.get('/api/v1/runs/1/metrics?max_points=100000');
    const mine = await pointsUpTo(page, theirs.steps.at(-1));
    assert.ok(assertPoints(mine, theirs) > 0);
});

test('a_run_whose_daemon_was_killed_goes_on_by_button_without_a_missing_or_doubled_point', async (t) => {
    const { page, daemon } = await openPage(t, { config: LONG, line: true });
    await drawn(page, 3);
    await page.click('#pause-button');
    await stateIs(page, 'paused');
    const { checkpoint } = await daemon.get('/api/v1/runs/1');
    await page.click('#resume-button');
    await page.waitForFunction((step) => window.goodness.points.steps.at(-1) > step, checkpoint.step);
    await daemon.end('SIGKILL');
    await page.waitForSelector('body.stale #run:visible');
    const seen = await page.evaluate(() => window.goodness.points.steps.at(-1));
    await daemon.start();
    await tryNow(page);
    await stateIs(page, 'interrupted');
    await page.click('#continue-button');
    await page.click('#continue-submit');
    await stateIs(page, 'running');
    await pointsUpTo(page, seen + 1);
    await page.click('#stop-button');
    await stateIs(page, 'stopped');
    assert.ok(seen > checkpoint.step);
    await assertSamePoints(page, daemon, 1);
});

test('colours_follow_the_system_and_can_be_switched', async (t) => {
    const { page } = await openPage(t, { config: SHORT, colorScheme: 'dark' });
    await stateIs(page, 'finished');
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await ground();
    await page.emulateMedia({ colorScheme: 'light' });
    const light = await ground();
    assert.notEqual(dark, light);
    await page.waitForFunction(() => !document.documentElement.dataset.theme);
    await page.click('#theme-button');
    await page.click('#theme-button');
    assert.equal(await ground(), dark);
    assert.match(await page.locator('#theme-text').textContent(), /dark/);
    await page.reload();
    await stateIs(page, 'finished');
    assert.equal(await ground(), dark, 'the choice is remembered');
    assert.ok(
        (await pixelsOf(page, '[data-layer="0"]', '--positive')) > 40,
        'charts wear the colours of the theme',
    );
});

for (const width of [360, 768, 1280, 2560]) {
    test(`nothing_is_wider_than_a_window_of_${width}_pixels`, async (t) => {
        const { page, daemon } = await openPage(t, { width });
        await page.waitForSelector('#empty-title');
        assert.equal(await isWide(page), false, 'empty');
        await daemon.post('/api/v1/runs', {
            name: 'a very long name '.repeat(10),
            config: { ...SHORT, layers: [30, 20, 10, 10] },
        });
        await stateIs(page, 'finished');
        await everySection(page);
        assert.equal(await isWide(page), false, 'a run');
        await page.click('[data-layer="0"] summary');
        await page.waitForSelector('[data-layer="0"] tbody tr');
        assert.equal(await isWide(page), false, 'a table');
        await page.click('#new-button');
        await page.click('#start-settings summary');
        assert.equal(await isWide(page), false, 'the form');
        assert.ok(
            await page.evaluate(
                () =>
                    document.querySelector('#start-body').scrollWidth <=
                    document.querySelector('#start-body').clientWidth,
            ),
        );
    });
}

for (const colorScheme of ['light', 'dark']) {
    test(`axe_finds_nothing_serious_in_${colorScheme}`, async (t) => {
        const { page, daemon } = await openPage(t, { colorScheme });
        await page.waitForSelector('#empty-title');
        await assertAccessible(page, 'empty');
        await daemon.post('/api/v1/runs', { config: SHORT });
        await stateIs(page, 'finished');
        await page.click('[data-layer="0"] summary');
        await page.waitForSelector('[data-layer="0"] tbody tr');
        await everySection(page);
        await page.fill('#trial-index', '3');
        await page.locator('#trial-index').press('Enter');
        await page.waitForSelector('#trial-answer:visible');
        await assertAccessible(page, 'a run');
        await page.click('#runs-button');
        await page.waitForSelector('#runs-list a');
        await assertAccessible(page, 'the list of runs');
        await page.keyboard.press('Escape');
        await page.click('#new-button');
        await page.click('#start-settings summary');
        await page.fill('#setting-learning_rate', '-1');
        await page.click('#start-submit');
        await page.waitForSelector('#setting-learning_rate-error:visible');
        await assertAccessible(page, 'the form with an error');
    });
}

test('the_page_is_small', async (t) => {
    const { page } = await openPage(t, { config: SHORT });
    await stateIs(page, 'finished');
    const files = await page.evaluate(() =>
        [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
            .filter(({ name: address }) => !new URL(address).pathname.startsWith('/api/'))
            .map(({ name: address, transferSize }) => ({ address, bytes: transferSize })),
    );
    assert.ok(files.length > 25 && files.every(({ bytes }) => bytes > 0), 'all of them came over the line');
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    t.diagnostic(`${files.length} files, ${bytes} bytes`);
    assert.ok(bytes <= 120 * 1024, `${bytes} bytes`);
});

test('an_unknown_page_leads_back', async (t) => {
    const { page } = await openPage(t, { address: '/nothing/here' });
    await page.click('main a');
    await page.waitForSelector('#empty-title');
});
