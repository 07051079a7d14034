/* The page that lays runs over each other, in a real browser, on the real daemon. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertAccessible, downloaded, isWide, makeRuns } from './pages.mjs';
import { closeBrowser, LONG, openPage, SHORT } from './support.mjs';

after(closeBrowser);

const ADDRESS = { address: '/compare.html' };

const three = () => [
    { name: 'first', config: SHORT },
    { name: 'second', config: { ...SHORT, learning_rate: 0.01, augment: { shift: 1 } } },
    { name: 'third', config: { ...SHORT, layers: [24, 12, 8], epochs: 6, evaluate_every: 2 } },
];

/** A page on which three runs that have ended are compared. */
async function openThree(t, how = {}) {
    const opened = await openPage(t, { ...ADDRESS, ...how });
    await makeRuns(opened.daemon, three());
    await opened.page.goto(`${opened.url}/compare.html?runs=1,2,3${how.query ?? ''}`);
    await opened.page.waitForSelector('#architectures tr[data-run="3"]');
    return opened;
}

/** A chart's CSV file as rows of texts, without the head. */
async function rowsOf(page, chart) {
    const { content } = await downloaded(page, `[data-chart="${chart}"] [data-save="CSV"]`);
    return content
        .toString()
        .trim()
        .split('\r\n')
        .map((line) => line.split(','));
}

/** How many pixels of a chart have the colour of this token. */
const pixelsOf = (page, chart, token) =>
    page.evaluate(
        ([id, name]) => {
            const probe = document.createElement('span');
            probe.style.color = `var(${name})`;
            document.body.append(probe);
            const [r, g, b] = getComputedStyle(probe).color.match(/\d+/g).map(Number);
            probe.remove();
            const canvas = document.querySelector(`[data-chart="${id}"] canvas`);
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            let count = 0;
            for (let i = 0; i < data.length; i += 4)
                if (Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 24) count++;
            return count;
        },
        [chart, token],
    );

test('without_runs_the_page_says_what_to_do', async (t) => {
    const { page } = await openPage(t, ADDRESS);
    await page.waitForSelector('#empty-title');
    assert.equal(await page.locator('#empty a').getAttribute('href'), '/runs.html');
});

test('errors_lie_over_each_other_and_the_file_has_what_is_drawn', async (t) => {
    const { page, daemon } = await openThree(t);
    const { runs } = await daemon.get('/api/v1/compare?runs=1,2,3');
    const [head, ...rows] = await rowsOf(page, 'error-epochs');
    assert.deepEqual(head, ['epoch', 'run 1', 'run 2', 'run 3']);
    assert.equal(rows.length, 6);
    const text = (value) => (value === null || value === undefined ? '' : String(value));
    rows.forEach((row, i) => {
        assert.equal(row[0], String(i + 1));
        runs.forEach(({ series }, run) => assert.equal(row[run + 1], text(series.test_error[i])));
    });
    assert.equal(rows[0][3], '', 'an epoch that was not judged');
    const seconds = await rowsOf(page, 'error-seconds');
    const all = runs.flatMap(({ series }) => series.elapsed);
    assert.deepEqual(
        seconds.slice(1).map(([x]) => Number(x)),
        [...new Set(all)].sort((a, b) => a - b),
    );
    for (const token of ['--run-1', '--run-2', '--run-3'])
        assert.ok((await pixelsOf(page, 'error-epochs', token)) > 20, token);
});

test('gaps_of_every_layer_lie_over_each_other_on_epochs_or_seconds', async (t) => {
    const { page, daemon } = await openThree(t);
    const { runs } = await daemon.get('/api/v1/compare?runs=1,2,3');
    assert.equal(await page.locator('#gap-cards .overlay').count(), 3);
    const rows = await rowsOf(page, 'gap-0');
    assert.equal(Number(rows[2][1]), runs[0].series.gaps[0][1]);
    await page.check('input[value="seconds"]', { force: true });
    await page.waitForFunction(() => location.search.includes('axis=seconds'));
    const seconds = await rowsOf(page, 'gap-2');
    assert.deepEqual(
        seconds.slice(1).map(([x, , , third]) => [Number(x), Number(third)]),
        runs[2].series.elapsed.map((x, i) => [x, runs[2].series.gaps[2][i]]),
    );
});

test('tables_have_the_architectures_and_only_settings_that_differ', async (t) => {
    const { page, daemon } = await openThree(t);
    const run = await daemon.get('/api/v1/runs/3');
    const cells = await page.locator('#architectures tr[data-run="3"] > *').allInnerTexts();
    const parameters = run.parameters.toLocaleString('en');
    const accuracy = (1 - run.last.test_error).toFixed(4);
    assert.deepEqual(cells.slice(0, 5), ['third', '24, 12, 8', '3', parameters, accuracy]);
    const settings = await page
        .locator('#settings tbody tr')
        .evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
    const sorted = settings.sort(([a], [b]) => a.localeCompare(b));
    assert.deepEqual(sorted, [
        ['augment.shift', '0', '1', '0'],
        ['epochs', '4', '4', '6'],
        ['evaluate_every', '1', '1', '2'],
        ['layers', '32, 16', '32, 16', '24, 12, 8'],
        ['learning_rate', '0.002', '0.01', '0.002'],
    ]);
    const text = await (await fetch(new URL(await page.getAttribute('#as-text', 'href'), page.url()))).text();
    assert.match(text, /third.*24 -> 12 -> 8/);
});

test('a_run_that_trains_grows', async (t) => {
    const config = { ...LONG, layers: [20], epochs: 100000, evaluate_every: 1 };
    const { page, daemon } = await openPage(t, { address: '/compare.html?runs=1', config });
    await page.waitForSelector('#architectures tr[data-run="1"]');
    const epochs = () => page.locator('#architectures tr[data-run="1"] td:nth-child(7)').innerText();
    const before = await epochs();
    await page.waitForFunction(
        (text) => document.querySelector('#architectures tr[data-run="1"] td:nth-child(7)').textContent !== text,
        before,
    );
    await daemon.post('/api/v1/runs/1/stop');
    await page.waitForFunction(
        () => document.querySelector('#architectures tr[data-run="1"] td:last-child').textContent === 'stopped',
    );
});

test('forward_forward_and_backpropagation_are_trained_by_one_button_and_compared', async (t) => {
    const { page, daemon } = await openPage(t, ADDRESS);
    await page.click('#beside-make');
    await page.waitForFunction(() => location.search === '?runs=1,2');
    await daemon.get('/api/v1/runs/2?wait=300');
    await page.waitForFunction(
        () => document.querySelector('#architectures tr[data-run="2"] td:last-child')?.textContent === 'finished',
        null,
        { timeout: 120000 },
    );
    const { runs } = await daemon.get('/api/v1/runs');
    assert.deepEqual(
        runs.map(({ config }) => config.rule),
        ['backprop', 'class_groups'],
    );
    assert.equal(await page.locator('#beside-make').isVisible(), false);
    assert.equal(await page.getAttribute('#beside-link', 'href'), '/compare.html?runs=1,2');
});

test('runs_are_added_and_left_out_from_the_keyboard_and_the_address_keeps_them', async (t) => {
    const { page } = await openThree(t);
    await page.focus('#chosen-list li[data-run="2"] .leave');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#architectures tr[data-run="2"]', { state: 'detached' });
    assert.match(page.url(), /runs=1,3$/);
    await page.focus('#add-run');
    await page.keyboard.type('2');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#architectures tr[data-run="2"]');
    assert.match(page.url(), /runs=1,3,2$/);
    await page.keyboard.type('no number');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#add-error:visible');
});

test('a_run_that_is_gone_is_said_and_the_others_are_compared', async (t) => {
    const { page, url } = await openThree(t);
    await page.goto(`${url}/compare.html?runs=1,99,3`);
    await page.waitForSelector('#architectures tr[data-run="3"]');
    await page.waitForSelector('#compare-error:visible');
    assert.match(await page.locator('#compare-error').innerText(), /no run 99/);
    assert.match(page.url(), /runs=1,3$/);
});

test('scale_zoom_and_axis_stand_in_the_address', async (t) => {
    const { page } = await openThree(t, { query: '&log&epochs=2..3&axis=seconds' });
    assert.equal(await page.locator('#log-scale').isChecked(), true);
    assert.equal(await page.locator('input[value="seconds"]').isChecked(), true);
    await page.click('#unzoom');
    await page.uncheck('#log-scale');
    await page.focus('[data-chart="error-epochs"] .chart');
    await page.keyboard.press('+');
    await page.waitForFunction(() => /epochs=[\d.]+\.\.[\d.]+/.test(location.search));
    await page.keyboard.press('0');
    await page.waitForFunction(() => location.search === '?runs=1,2,3&axis=seconds');
});

test('the_crosshair_tells_every_run_and_a_chart_is_kept_as_a_picture', async (t) => {
    const { page, daemon } = await openThree(t);
    await page.focus('[data-chart="error-epochs"] .chart');
    await page.keyboard.press('End');
    const { runs } = await daemon.get('/api/v1/compare?runs=1,2,3');
    const texts = runs.map(({ id, series }) => `run ${id} ${(100 * series.test_error.at(-1)).toFixed(2)}\u202f%`);
    await page.waitForFunction(
        (text) => document.querySelector('[data-chart="error-epochs"] .at').textContent === text,
        `epoch 6: ${texts.join(', ')}`,
    );
    const { name, content } = await downloaded(page, '[data-chart="gap-0"] [data-save="PNG"]');
    assert.equal(name, 'compare-gap-0.png');
    assert.equal(content.subarray(1, 4).toString(), 'PNG');
    await page.click('[data-chart="gap-0"] summary');
    await page.waitForFunction(() => document.querySelectorAll('[data-chart="gap-0"] tbody tr').length === 6);
});

for (const width of [360, 1280, 2560])
    test(`nothing_is_wider_than_a_window_of_${width}_pixels`, async (t) => {
        const { page } = await openThree(t, { width });
        assert.equal(await isWide(page), false);
    });

for (const colorScheme of ['light', 'dark'])
    test(`axe_finds_nothing_serious_in_${colorScheme}`, async (t) => {
        const { page } = await openThree(t, { colorScheme });
        await page.click('[data-chart="gap-0"] summary');
        await page.waitForSelector('[data-chart="gap-0"] tbody tr');
        await assertAccessible(page, 'a comparison');
    });
