/* pages.mjs - what the tests of every page hold it to, and many runs for pages that list them. */
import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';

/** A run that is over at once and leaves no trace but its row. */
export const TINY = { layers: [2], epochs: 0, train_limit: 10, test_limit: 10 };

/** Whether the page can be scrolled sideways. */
export const isWide = (page) =>
    page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

/** Nothing that axe calls serious or critical. */
export async function assertAccessible(page, what) {
    const { violations } = await new AxeBuilder({ page }).analyze();
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    assert.deepEqual(
        serious.map(({ id, nodes }) => [what, id, nodes[0].html]),
        [],
    );
}

/** Make runs one after the other, and wait until the last has ended. Returns them as they were made. */
export async function makeRuns(daemon, bodies) {
    const made = [];
    for (const body of bodies) {
        const id = made.at(-1)?.id;
        /* The queue takes 64: let it run dry now and then. */
        if (made.length % 50 === 49) await daemon.get(`/api/v1/runs/${id}?wait=300`);
        made.push(await daemon.post('/api/v1/runs', body));
    }
    await daemon.get(`/api/v1/runs/${made.at(-1).id}?wait=300`);
    return made;
}

/** The text of a file that the page hands over when this is clicked. */
export async function downloaded(page, selector) {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click(selector)]);
    const chunks = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk);
    return { name: download.suggestedFilename(), content: Buffer.concat(chunks) };
}
