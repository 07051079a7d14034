/* Two hours of a run at the page: nothing grows, nothing is missing. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { memoryOf, Replay } from './replay.mjs';
import { assertPoints, closeBrowser, openPage } from './support.mjs';

after(closeBrowser);

const HOUR = 36000; /* points: ten a second */

const knows = (page, step) => page.waitForFunction((last) => window.goodness.points.steps.at(-1) === last, step);

test('two_hours_of_points_leave_memory_flat_and_every_one_of_them_counted_once', async (t) => {
    const { page, daemon } = await openPage(t);
    const replay = new Replay(daemon.url, 3 * HOUR);
    await replay.open();
    t.after(() => replay.close());
    await page.goto(replay.url);
    await page.waitForSelector('#run:visible');
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('HeapProfiler.enable');
    /* The page is told as much at once as it takes in one go, and has drawn it before the next. */
    const tellUpTo = async (step) => {
        while (replay.stored < step) await knows(page, replay.tell(500));
    };

    await tellUpTo(HOUR / 2);
    const before = await memoryOf(cdp);
    await tellUpTo(2 * HOUR);
    const after = await memoryOf(cdp);

    t.diagnostic(`heap ${before.bytes} to ${after.bytes} bytes, ${before.nodes} to ${after.nodes} nodes`);
    assert.ok(after.bytes - before.bytes < 512 * 1024, `the heap grew from ${before.bytes} to ${after.bytes} bytes`);
    assert.ok(after.nodes - before.nodes < 100, `the document grew from ${before.nodes} to ${after.nodes} nodes`);
    const mine = await page.evaluate(() => window.goodness.points);
    assert.ok(mine.steps.length <= 360);
    assert.equal(assertPoints(mine, replay.points(0, 2 * HOUR)), 2 * HOUR, 'every point is in one that is drawn');
});
