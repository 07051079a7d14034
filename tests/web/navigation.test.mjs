/* What all pages have in common: the head that leads from each to each, and how they are written. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { closeBrowser, openPage } from './support.mjs';

after(closeBrowser);

const WEB = new URL('../../web/', import.meta.url);
const PAGES = ['/', '/runs.html', '/compare.html', '/math.html', '/settings.html', '/api.html'];

const filesOf = (ending) =>
    readdirSync(WEB, { recursive: true })
        .filter((name) => name.endsWith(ending) && !name.includes('node_modules'))
        .map((name) => [name, readFileSync(new URL(name, WEB), 'utf8')]);

test('every_page_leads_to_every_other_and_says_which_it_is', async (t) => {
    const { page, url } = await openPage(t);
    for (const address of [...PAGES, '/no/such/page']) {
        await page.goto(url + address);
        const links = await page.evaluate(() =>
            [...document.querySelectorAll('.pages a')].map((link) => [
                link.getAttribute('href'),
                link.getAttribute('aria-current'),
            ]),
        );
        assert.equal(await page.locator('#sign-out').count(), 0, 'there is no token');
        assert.deepEqual(
            links,
            PAGES.map((each) => [each, each === address ? 'page' : null]),
            address,
        );
    }
    for (const address of PAGES) {
        await page.click(`.pages a[href="${address}"]`);
        await page.waitForURL((at) => at.pathname === address);
        assert.equal(await page.locator('h1').first().count(), 1);
    }
});

test('the_switch_of_colours_holds_on_every_page', async (t) => {
    const { page, url } = await openPage(t, { address: '/runs.html' });
    await page.click('#theme-button');
    await page.click('#theme-button');
    const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    for (const address of [...PAGES, '/no/such/page']) {
        await page.goto(url + address);
        await page.waitForFunction(() => /dark/.test(document.querySelector('#theme-text').textContent));
        assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), dark, address);
    }
});

test('no_page_has_a_script_or_style_within_or_anything_from_elsewhere', () => {
    for (const [name, text] of filesOf('.html')) {
        assert.ok(!/<script(?![^>]*\bsrc=)/.test(text), `${name}: a script within`);
        assert.ok(!/<style|\sstyle="|\son[a-z]+="/.test(text), `${name}: style or script within`);
        assert.ok(!/(src|href)="(https?:)?\/\//.test(text), `${name}: something from elsewhere`);
    }
});

test('no_script_is_longer_than_400_lines', () => {
    const scripts = filesOf('.js');
    assert.ok(scripts.length > 40);
    for (const [name, text] of scripts) assert.ok(text.split('\n').length <= 401, name);
});
