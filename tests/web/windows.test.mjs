/* Several windows of one browser, and windows that nobody looks at. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertSamePoints, closeBrowser, drawn, LONG, newPage, openPage, SHORT, stateIs } from './support.mjs';

after(closeBrowser);

const hide = (page, hidden) =>
    page.evaluate((value) => {
        Object.defineProperty(document, 'hidden', { value, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);

const lastStep = (page) => page.evaluate(() => window.goodness.points.steps.at(-1));

/** Wait until the page knows points beyond this step. */
const knowsBeyond = (page, step) =>
    page.waitForFunction((known) => window.goodness.points.steps.at(-1) > known, step);

/** Wait until the daemon has points beyond this step. */
async function storedBeyond(daemon, step) {
    for (;;) {
        const { next } = await daemon.get(`/api/v1/runs/1/metrics?after=${step}`);
        if (next > step) return;
    }
}

const withoutSharedWorker = () => delete window.SharedWorker;

test('seven_windows_are_live_at_once_over_one_stream', async (t) => {
    const { page, daemon, context, line, url } = await openPage(t, { config: LONG, line: true });
    const pages = [page];
    for (let i = 1; i < 7; i++) {
        pages.push(await newPage(t, context));
        await pages[i].goto(url);
    }
    for (const each of pages) {
        await drawn(each, 3);
        if (each !== page) await hide(each, true); /* drawing seven windows at once is not the question */
    }
    const seen = Math.max(...(await Promise.all(pages.map(lastStep))));
    await Promise.all(pages.map((each) => knowsBeyond(each, seen)));
    assert.deepEqual(line.streams, { open: 1, opened: 1 });

    await page.click('#pause-button');
    for (const each of pages) {
        await hide(each, false);
        await stateIs(each, 'paused');
        await assertSamePoints(each, daemon, 1);
    }
});

test('a_window_that_is_closed_or_killed_takes_the_stream_from_nobody_and_the_last_one_ends_it', async (t) => {
    const { page, context, line, url } = await openPage(t, { config: LONG, line: true });
    const other = await newPage(t, context);
    await other.goto(url);
    await drawn(page, 1);
    await drawn(other, 1);
    assert.deepEqual(line.streams, { open: 1, opened: 1 });
    await page.close();
    await knowsBeyond(other, await lastStep(other));
    assert.deepEqual(line.streams, { open: 1, opened: 1 });
    const crashed = other.waitForEvent('crash');
    (await context.newCDPSession(other)).send('Page.crash').catch(() => {}); /* nobody is left to answer */
    await crashed;
    await line.streamsAre(0);
});

test('a_stream_that_breaks_is_taken_up_again_by_all_windows', async (t) => {
    const { page, daemon, context, line, url } = await openPage(t, { config: LONG, line: true });
    const other = await newPage(t, context);
    await other.goto(url);
    await drawn(page, 2);
    await drawn(other, 2);
    line.cut();
    await page.waitForSelector('#banner:visible');
    await other.waitForSelector('#banner:visible');
    await storedBeyond(daemon, await lastStep(other));
    line.mend();
    await page.waitForSelector('#banner', { state: 'hidden' });
    await other.waitForSelector('#banner', { state: 'hidden' });
    await page.click('#pause-button');
    for (const each of [page, other]) {
        await stateIs(each, 'paused');
        await assertSamePoints(each, daemon, 1);
    }
    assert.equal(line.streams.open, 1);
});

test('a_run_that_is_deleted_is_gone_from_every_window', async (t) => {
    const { page: live, daemon, context, url } = await openPage(t, { config: SHORT });
    const { id } = await daemon.post('/api/v1/runs', { name: 'kept', config: SHORT });
    await daemon.get(`/api/v1/runs/${id}?wait=300`);
    const [runs, compare, deleting] = [await newPage(t, context), await newPage(t, context), await newPage(t, context)];
    await live.goto(`${url}/?run=1`);
    await stateIs(live, 'finished');
    await runs.goto(`${url}/runs.html?picked=1,2`);
    await runs.waitForSelector('[data-run="1"]');
    await compare.goto(`${url}/compare.html?runs=1,2`);
    await compare.waitForSelector('#chosen-list [data-run="1"]');
    await deleting.goto(`${url}/runs.html`);
    await deleting.click('[data-run="1"] [data-action="delete"]');
    await deleting.waitForSelector('.toast', { state: 'detached' });

    await live.waitForSelector('#missing-title:visible');
    assert.equal(await live.locator('#missing-title').innerText(), 'This run is gone');
    assert.match(await live.locator('#missing-text').innerText(), /^Run 1, .*, was deleted\./);
    assert.match(await live.locator('#announce').textContent(), /^Run 1, .*, was deleted\.$/);
    await live.click('#runs-button');
    await live.waitForSelector('#runs-list [data-run="2"]');
    assert.equal(await live.locator('#runs-list [data-run="1"]').count(), 0);
    await runs.waitForSelector('#list-table [data-run="1"]', { state: 'detached' });
    assert.equal(await runs.locator('#picked-count').innerText(), '1 run picked');
    assert.match(await runs.locator('#announce').textContent(), /^Run 1, .*, was deleted\.$/);
    await compare.waitForSelector('#chosen-list [data-run="1"]', { state: 'detached' });
    assert.equal(await compare.locator('#compare-error').innerText(), 'Run 1 was deleted.');
    assert.match(compare.url(), /runs=2$/);
    await live.keyboard.press('Escape');
    await live.click('#missing a');
    await live.waitForURL(/run=2/);
});

test('a_hidden_window_goes_on_receiving_but_stops_drawing', async (t) => {
    const { page } = await openPage(t, { config: LONG });
    await drawn(page, 2);
    await page.waitForFunction(() => window.goodness.drawn[0]?.[0].length >= 2);
    await hide(page, true);
    const steps = await page.evaluate(
        () => new Promise((done) => requestAnimationFrame(() => done(window.goodness.drawn[0][0].length))),
    );
    await page.waitForFunction((more) => window.goodness.points.steps.length > more, steps + 2);
    assert.equal(await page.evaluate(() => window.goodness.drawn[0][0].length), steps, 'nothing is drawn');
    assert.match(await page.title(), /^▶ \d+ % /);
    await hide(page, false);
    await page.waitForFunction((more) => window.goodness.drawn[0][0].length > more, steps + 2);
});

test('without_a_shared_worker_a_window_has_a_stream_of_its_own_and_gives_it_up_when_hidden', async (t) => {
    const { page, daemon, line } = await openPage(t, { config: LONG, line: true, init: withoutSharedWorker });
    await drawn(page, 2);
    assert.equal(line.streams.open, 1);
    await hide(page, true);
    await page.waitForFunction(() => window.goodness.connection === 'resting');
    await line.streamsAre(0);
    const seen = await lastStep(page);
    await storedBeyond(daemon, seen + 10);
    assert.equal(await lastStep(page), seen);
    await hide(page, false);
    await page.waitForFunction(() => window.goodness.connection === 'live');
    await page.click('#pause-button');
    await stateIs(page, 'paused');
    await assertSamePoints(page, daemon, 1);
});

test('a_worker_that_does_not_start_costs_nothing_but_the_sharing', async (t) => {
    const { page, context, url, daemon } = await openPage(t);
    await page.goto('about:blank');
    await context.route('**/lib/stream_worker.js', (route) => route.abort());
    await daemon.post('/api/v1/runs', { config: LONG });
    await page.goto(url);
    await drawn(page, 2);
});
