/* The page of all runs in a real browser, on the real daemon. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertAccessible, downloaded, isWide, makeRuns, TINY, tryNow } from './pages.mjs';
import { closeBrowser, LONG, openPage, SHORT } from './support.mjs';

after(closeBrowser);

const ADDRESS = { address: '/runs.html' };

/** The numbers of the runs on the page, from the top. */
const listed = (page) =>
    page.evaluate(() =>
        [...document.querySelectorAll('#list-table tbody tr')].map((row) => Number(row.dataset.run)),
    );

/** Wait until these runs are listed, in this order. */
const lists = (page, ids) =>
    page.waitForFunction(
        (wanted) =>
            [...document.querySelectorAll('#list-table tbody tr')].map((row) => row.dataset.run).join() === wanted,
        ids.join(),
    );

const cell = (page, id, column) => page.locator(`[data-run="${id}"] [data-column="${column}"]`);

const stateIs = (page, id, state) => page.waitForSelector(`[data-run="${id}"] .state[data-state="${state}"]`);

/** Three runs that differ in rate and layers, one of them with a tag. */
const three = () => [
    { name: 'first', config: SHORT },
    { name: 'second', config: { ...SHORT, learning_rate: 0.01 }, tags: ['kept'], notes: 'to look at again' },
    { name: 'third', config: { ...SHORT, layers: [8], epochs: 2 } },
];

test('without_runs_the_page_says_what_to_do_and_a_run_made_elsewhere_appears', async (t) => {
    const { page, daemon } = await openPage(t, ADDRESS);
    await page.waitForSelector('#empty-title');
    assert.equal(await page.locator('#empty a').getAttribute('href'), '/');
    await daemon.post('/api/v1/runs', { config: SHORT });
    await stateIs(page, 1, 'finished');
    assert.equal(await page.locator('#empty').isVisible(), false);
});

test('every_run_has_a_row_with_its_figures_and_the_line_of_its_errors', async (t) => {
    const { page, daemon } = await openPage(t, ADDRESS);
    await makeRuns(daemon, three());
    await lists(page, [3, 2, 1]);
    await stateIs(page, 3, 'finished');
    const run = await daemon.get('/api/v1/runs/2');
    const { epochs } = await daemon.get('/api/v1/runs/2/epochs');
    const percent = (value) => (100 * value).toFixed(2) + '\u202f%';
    await page.waitForFunction(
        (text) => document.querySelector('[data-run="2"] [data-column="best_error"]').textContent === text,
        percent(run.best.test_error),
    );
    const label = `test error ${percent(epochs[0].test_error)} first, ${percent(epochs[3].test_error)} last, 4 epochs`;
    await page.waitForSelector(`[data-run="2"] svg.spark[aria-label="${label}"]`);
    const path = await page.locator('[data-run="2"] svg.spark path').getAttribute('d');
    assert.equal(path.match(/[ML]/g).length, 4, 'a place for every epoch');
    await cell(page, 2, 'name').locator('a').click();
    await page.waitForURL(/\/\?run=2/);
});

test('a_run_that_trains_changes_in_its_row', async (t) => {
    const { page, daemon } = await openPage(t, {
        ...ADDRESS,
        address: '/runs.html?columns=state,progress,history',
    });
    await page.waitForSelector('#empty-title');
    await daemon.post('/api/v1/runs', { config: { ...LONG, layers: [20], epochs: 100000, evaluate_every: 1 } });
    await stateIs(page, 1, 'running');
    await page.waitForSelector('[data-run="1"] svg.spark');
    const label = () => page.locator('[data-run="1"] svg.spark').getAttribute('aria-label');
    const before = await label();
    await page.waitForFunction(
        (text) => document.querySelector('[data-run="1"] svg.spark').getAttribute('aria-label') !== text,
        before,
    );
    assert.equal(await page.locator('[data-run="1"] [data-action="delete"]').isDisabled(), true);
    await daemon.post('/api/v1/runs/1/stop');
    await stateIs(page, 1, 'stopped');
    assert.equal(await page.locator('[data-run="1"] [data-action="delete"]').isDisabled(), false);
});

test('the_list_is_sorted_by_any_column_and_the_address_keeps_it', async (t) => {
    const { page, daemon } = await openPage(t, ADDRESS);
    await makeRuns(daemon, three());
    await lists(page, [3, 2, 1]);
    await page.click('[data-sort="name"]');
    await lists(page, [1, 2, 3]);
    assert.equal(await page.locator('th[data-column="name"]').first().getAttribute('aria-sort'), 'ascending');
    await page.click('[data-sort="name"]');
    await lists(page, [3, 2, 1]);
    await page.click('[data-sort="learning_rate"]');
    await page.click('[data-sort="learning_rate"]');
    await page.waitForFunction(() => document.querySelector('#list-table tbody tr').dataset.run === '2');
    assert.match(page.url(), /sort=-learning_rate/);
    await page.reload();
    await page.waitForFunction(() => document.querySelector('#list-table tbody tr')?.dataset.run === '2');
});

test('runs_are_found_by_words_tags_and_values_and_the_address_keeps_the_question', async (t) => {
    const { page, daemon } = await openPage(t, ADDRESS);
    await makeRuns(daemon, three());
    await lists(page, [3, 2, 1]);
    await page.fill('#list-query', 'again');
    await lists(page, [2]);
    await page.fill('#list-query', 'learning_rate<0.005 layers:16');
    await lists(page, [1]);
    assert.equal(await page.locator('#list-count').innerText(), '1 of 3 runs');
    await page.fill('#list-query', 'nothing_such<3');
    assert.match(await page.locator('#list-problem').innerText(), /nothing_such/);
    await page.fill('#list-query', 'no run has this name');
    await page.waitForSelector('#no-match-title:visible');
    await page.click('#clear-query');
    await lists(page, [3, 2, 1]);
    await page.click('[data-run="2"] .tag');
    await lists(page, [2]);
    await page.reload();
    await lists(page, [2]);
    assert.equal(await page.locator('#list-query').inputValue(), 'tag:kept');
});

test('only_settings_that_differ_have_columns_and_a_person_chooses_others', async (t) => {
    const { page, daemon } = await openPage(t, ADDRESS);
    await makeRuns(daemon, three());
    await lists(page, [3, 2, 1]);
    const heads = () =>
        page.evaluate(() =>
            [...document.querySelectorAll('#list-table thead [data-column]')].map((head) => head.dataset.column),
        );
    assert.deepEqual((await heads()).slice(-3), ['epochs', 'layers', 'learning_rate']);
    assert.equal(await cell(page, 2, 'learning_rate').innerText(), '0.01');
    assert.equal(await cell(page, 3, 'layers').innerText(), '8');
    await page.fill('#list-query', 'first');
    await lists(page, [1]);
    assert.equal((await heads()).includes('learning_rate'), false, 'one run differs in nothing');
    await page.fill('#list-query', '');
    await page.click('#columns-button');
    await page.check('#columns input[value="batch_size"]');
    await page.uncheck('#columns input[value="history"]');
    await page.uncheck('#columns-differing');
    await page.keyboard.press('Escape');
    const chosen = ['id', 'name', 'state', 'best_error', 'epoch', 'seconds', 'tags', 'batch_size'];
    assert.deepEqual(await heads(), chosen);
    await page.reload();
    await lists(page, [3, 2, 1]);
    assert.deepEqual(await heads(), chosen, 'the address keeps them');
});

test('a_run_gets_another_name_tags_and_notes_and_a_wrong_one_is_told_at_its_field', async (t) => {
    const { page, daemon } = await openPage(t, ADDRESS);
    await makeRuns(daemon, three());
    await lists(page, [3, 2, 1]);
    await page.click('[data-run="2"] [data-action="edit"]');
    assert.equal(await page.locator('#edit-tags').inputValue(), 'kept');
    await page.fill('#edit-name', 'x'.repeat(201));
    await page.click('#edit-save');
    await page.waitForSelector('#edit-name-error:visible');
    assert.match(await page.locator('#edit-name-error').innerText(), /200/);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'edit-name');
    await page.fill('#edit-name', 'renamed');
    await page.fill('#edit-tags', ' one, two ,one,');
    await page.fill('#edit-notes', 'a remark');
    await page.click('#edit-save');
    await page.waitForFunction(() => document.querySelector('[data-run="2"] .run-link').textContent === 'renamed');
    assert.deepEqual(await cell(page, 2, 'tags').locator('.tag').allInnerTexts(), ['one', 'two']);
    const { name, tags, notes } = await daemon.get('/api/v1/runs/2');
    assert.deepEqual({ name, tags, notes }, { name: 'renamed', tags: ['one', 'two'], notes: 'a remark' });
});

test('a_run_that_has_ended_goes_on_from_its_row', async (t) => {
    const { page, daemon } = await openPage(t, { ...ADDRESS, config: LONG });
    await stateIs(page, 1, 'running');
    const button = page.locator('[data-run="1"] [data-action="continue"]');
    assert.equal(await button.isVisible(), false, 'it trains');
    await daemon.post('/api/v1/runs/1/stop');
    await stateIs(page, 1, 'stopped');
    await button.click();
    assert.equal(await page.locator('#continue-epochs').inputValue(), String(LONG.epochs), 'as many as it has');
    await page.keyboard.press('Escape');
    await page.waitForFunction(() => document.activeElement.dataset.action === 'continue');
    await button.press('Enter');
    await page.waitForSelector('#continue[open]');
    await page.keyboard.press('Enter');
    await stateIs(page, 1, 'running');
    assert.equal((await daemon.get('/api/v1/runs/1')).config.epochs, LONG.epochs);
    await daemon.post('/api/v1/runs/1/stop');
});

test('a_deleted_run_can_be_had_back_for_ten_seconds_and_is_gone_after', async (t) => {
    const { page, daemon } = await openPage(t, ADDRESS);
    await makeRuns(daemon, three());
    await lists(page, [3, 2, 1]);
    await page.click('[data-run="2"] [data-action="delete"]');
    await lists(page, [3, 1]);
    await page.waitForFunction(() => document.activeElement.textContent.startsWith('Undo'));
    assert.match(await page.locator('.toast').innerText(), /Run 2, second, was deleted/);
    await daemon.get('/api/v1/runs/2');
    await page.keyboard.press('Enter');
    await lists(page, [3, 2, 1]);
    await page.waitForFunction(() => document.activeElement.closest('tr')?.dataset.run === '2');
    await page.click('[data-run="3"] [data-action="delete"]');
    await lists(page, [2, 1]);
    const [answer] = await Promise.all([
        page.waitForResponse((response) => response.request().method() === 'DELETE', { timeout: 120000 }),
        page.waitForSelector('.toast', { state: 'detached', timeout: 120000 }),
    ]);
    assert.equal(answer.status(), 204);
    assert.match(answer.url(), /\/runs\/3$/);
    assert.deepEqual(
        (await daemon.get('/api/v1/runs')).runs.map(({ id }) => id),
        [2, 1],
    );
    assert.deepEqual(await listed(page), [2, 1]);
});

test('a_run_deleted_just_before_its_page_is_left_is_deleted', async (t) => {
    const { page, daemon } = await openPage(t, ADDRESS);
    await makeRuns(daemon, three());
    await lists(page, [3, 2, 1]);
    await page.click('[data-run="1"] [data-action="delete"]');
    await lists(page, [3, 2]);
    await page.goto('about:blank');
    while ((await daemon.get('/api/v1/runs')).runs.length > 2);
    assert.deepEqual(
        (await daemon.get('/api/v1/runs')).runs.map(({ id }) => id),
        [3, 2],
    );
});

test('a_run_that_began_to_train_after_it_was_deleted_stays_and_the_server_says_why', async (t) => {
    const { page, daemon } = await openPage(t, { ...ADDRESS, config: LONG });
    await daemon.post('/api/v1/runs', { name: 'waiting', config: LONG });
    await stateIs(page, 2, 'queued');
    await page.click('[data-run="2"] [data-action="delete"]');
    await lists(page, [1]);
    await daemon.post('/api/v1/runs/1/stop');
    await page.waitForSelector('.toast.bad', { timeout: 120000 });
    assert.match(await page.locator('.toast.bad').innerText(), /stop it before it is deleted/);
    await lists(page, [2, 1]);
    await page.click('.toast.bad button');
    await daemon.post('/api/v1/runs/2/stop');
});

test('several_runs_are_picked_their_differing_settings_shown_and_compared', async (t) => {
    const { page, daemon } = await openPage(t, ADDRESS);
    await makeRuns(daemon, three());
    await lists(page, [3, 2, 1]);
    await page.check('[data-run="1"] .pick input');
    await page.check('[data-run="2"] .pick input');
    assert.equal(await page.locator('#picked-count').innerText(), '2 runs picked');
    assert.deepEqual(await page.locator('#picked-settings tbody tr').allInnerTexts(), [
        'learning_rate\t0.002\t0.01',
    ]);
    await page.check('thead .pick input');
    await page.waitForFunction(() => document.querySelectorAll('#picked-settings tbody tr').length === 3);
    await page.reload();
    await page.waitForSelector('#picked:visible');
    assert.equal(await page.locator('#picked-count').innerText(), '3 runs picked', 'the address keeps them');
    assert.equal(await page.locator('#picked-compare').getAttribute('href'), '/compare.html?runs=1,2,3');
    await page.click('#picked-clear');
    await page.waitForSelector('#picked', { state: 'hidden' });
});

test('hundreds_of_runs_are_all_read_and_shown_in_pages', async (t) => {
    const { page, daemon } = await openPage(t, ADDRESS);
    const bodies = Array.from({ length: 215 }, (_, i) => ({
        name: `number ${i + 1}`,
        config: { ...TINY, seed: i },
    }));
    await makeRuns(daemon, bodies);
    await page.reload();
    await page.waitForFunction(() => document.querySelector('#list-count').textContent === '215 runs');
    const from = (first, count) => Array.from({ length: count }, (_, i) => first - i);
    assert.deepEqual(await listed(page), from(215, 50));
    assert.equal(await page.locator('#page-range').innerText(), '1–50 of 215');
    await page.click('#page-last');
    await lists(page, from(15, 15));
    assert.equal(await page.locator('#page-next').isDisabled(), true);
    await page.locator('body').press('ArrowLeft');
    await lists(page, from(65, 50));
    await page.selectOption('#page-size', '200');
    await lists(page, from(215, 200));
    await page.fill('#list-query', 'name:"number 7"');
    await page.waitForFunction(() => document.querySelector('#list-count').textContent === '11 of 215 runs');
    await page.click('[data-sort="seed"]');
    await lists(page, [7, ...Array.from({ length: 10 }, (_, i) => 70 + i)]);
});

test('the_list_can_be_kept_as_a_file_with_every_setting', async (t) => {
    const { page, daemon } = await openPage(t, ADDRESS);
    await makeRuns(daemon, three());
    await lists(page, [3, 2, 1]);
    await stateIs(page, 3, 'finished');
    await page.click('[data-sort="id"]');
    const { name, content } = await downloaded(page, '#list-csv');
    const [head, ...rows] = content
        .toString()
        .trim()
        .split('\r\n')
        .map((line) => line.match(/"[^"]*"|[^,]+|(?<=,|^)(?=,|$)/g));
    assert.equal(name, 'runs.csv');
    assert.equal(rows.length, 3);
    assert.equal(rows[1][head.indexOf('learning_rate')], '0.01');
    assert.equal(rows[1][head.indexOf('name')], 'second');
    const run = await daemon.get('/api/v1/runs/1');
    assert.equal(Number(rows[0][head.indexOf('best_error')]), run.best.test_error, 'not rounded');
});

test('a_daemon_that_comes_back_is_found_again_and_what_was_missed_is_read', async (t) => {
    const { page, daemon } = await openPage(t, { ...ADDRESS, line: true });
    await makeRuns(daemon, three());
    await lists(page, [3, 2, 1]);
    await daemon.end();
    await page.waitForSelector('#banner:visible');
    await page.waitForSelector('body.stale #list:visible');
    await daemon.start();
    await daemon.post('/api/v1/runs', { name: 'made meanwhile', config: SHORT });
    const gone = await fetch(`${daemon.url}/api/v1/runs/2`, { method: 'DELETE' });
    assert.equal(gone.status, 204);
    await tryNow(page);
    await lists(page, [4, 3, 1]);
    await page.waitForSelector('#banner', { state: 'hidden' });
});

test('everything_is_done_from_the_keyboard', async (t) => {
    const { page, daemon } = await openPage(t, ADDRESS);
    await makeRuns(daemon, three());
    await lists(page, [3, 2, 1]);
    await page.keyboard.press('/');
    await page.keyboard.type('second');
    await page.keyboard.press('Tab');
    for (const wanted of ['columns-button', 'list-csv', 'help-button', 'list-box']) {
        assert.equal(await page.evaluate(() => document.activeElement.id), wanted);
        await page.keyboard.press('Tab');
    }
    const focused = () =>
        page.evaluate(
            () => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent,
        );
    assert.equal(await focused(), 'Pick all runs on this page');
    await page.keyboard.press('Space');
    assert.equal(await page.locator('#picked-count').innerText(), '1 run picked', 'the one that is listed');
    const wanted = 'Edit run 2: name, tags, notes';
    for (let i = 0; i < 60 && (await focused()) !== wanted; i++) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#edit[open]');
    await page.keyboard.press('Escape');
    await page.waitForSelector('#edit:not([open])', { state: 'attached' });
    assert.equal(await focused(), wanted, 'the focus is where it was');
    await page.keyboard.press('c');
    await page.waitForURL(/compare\.html\?runs=2$/);
});

for (const width of [360, 1280, 2560]) {
    test(`nothing_is_wider_than_a_window_of_${width}_pixels`, async (t) => {
        const { page, daemon } = await openPage(t, { ...ADDRESS, width });
        await page.waitForSelector('#empty-title');
        assert.equal(await isWide(page), false, 'empty');
        const long = { name: 'a very long name '.repeat(10), tags: ['x'.repeat(40), 'y'.repeat(40)] };
        await makeRuns(daemon, [
            { ...long, config: SHORT },
            { ...long, config: { ...TINY, layers: [30, 20, 10, 10] } },
        ]);
        await lists(page, [2, 1]);
        assert.equal(await isWide(page), false, 'runs');
        await page.check('thead .pick input');
        await page.click('#columns-button');
        assert.equal(await isWide(page), false, 'columns and picked runs');
        await page.keyboard.press('Escape');
        await page.locator('[data-run="1"] [data-action="delete"]').click();
        assert.equal(await isWide(page), false, 'a toast');
        await page.locator('[data-run="2"] [data-action="continue"]').click();
        await page.selectOption('#continue-placement', 'own');
        assert.equal(await isWide(page), false, 'the dialog to continue');
    });
}

for (const colorScheme of ['light', 'dark']) {
    test(`axe_finds_nothing_serious_in_${colorScheme}`, async (t) => {
        const { page, daemon } = await openPage(t, { ...ADDRESS, colorScheme });
        await page.waitForSelector('#empty-title');
        await assertAccessible(page, 'empty');
        await makeRuns(daemon, three());
        await lists(page, [3, 2, 1]);
        await page.waitForSelector('[data-run="3"] svg.spark');
        await page.check('thead .pick input');
        await assertAccessible(page, 'runs, picked');
        await page.click('#columns-button');
        await assertAccessible(page, 'columns');
        await page.keyboard.press('Escape');
        await page.click('[data-run="2"] [data-action="delete"]');
        await assertAccessible(page, 'a toast');
        await page.click('[data-run="1"] [data-action="edit"]');
        await page.fill('#edit-name', 'x'.repeat(201));
        await page.click('#edit-save');
        await page.waitForSelector('#edit-name-error:visible');
        await assertAccessible(page, 'the dialog with an error');
        await page.keyboard.press('Escape');
        await page.click('[data-run="1"] [data-action="continue"]');
        await page.selectOption('#continue-placement', 'own');
        await page.fill('#continue-epochs', '1');
        await page.click('#continue-submit');
        await page.waitForSelector('#continue-epochs-error:visible');
        await assertAccessible(page, 'the dialog to continue, with an error');
    });
}
