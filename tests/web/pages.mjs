/* pages.mjs - what the tests of every page hold it to, and many runs for pages that list them. */
import AxeBuilder from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage } from './support.mjs';

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

/**
 * Tests of a page that is read: it fits every window, and axe finds nothing.
 * @param {string} address
 * @param {(page: any) => Promise<any>} ready until it shows all it has
 */
export function testReading(address, ready) {
    for (const width of [360, 1280, 2560])
        test(`nothing_is_wider_than_a_window_of_${width}_pixels`, async (t) => {
            const { page } = await openPage(t, { address, width });
            await ready(page);
            assert.equal(await isWide(page), false);
        });

    for (const [colorScheme, width] of [
        ['light', 1280],
        ['dark', 360],
    ])
        test(`axe_finds_nothing_serious_in_${colorScheme}_at_${width}_pixels`, async (t) => {
            const { page } = await openPage(t, { address, colorScheme, width });
            await ready(page);
            await assertAccessible(page, address);
        });

    test('a_server_that_does_not_answer_is_said_and_the_text_stays', async (t) => {
        const { page } = await openPage(t, { address });
        await ready(page);
        const rules = await page.locator('.rule').count();
        await page.route('**/api/v1/config', (route) => route.abort());
        await page.reload();
        await page.waitForSelector('#problem:visible');
        assert.match(await page.locator('#problem').innerText(), /does not answer/);
        assert.ok(rules > 20);
        assert.equal(await page.locator('.rule').count(), rules);
    });
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

/** Have it tried now. It may just have been tried by itself, and the button be gone. */
export const tryNow = (page) => page.evaluate(() => document.querySelector('#retry-button').click());
