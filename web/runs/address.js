/* address.js - which runs are listed and how, as it stands in the page's address. What is as usual is left out. */

import { USUAL } from './columns.js';

/**
 * @typedef {object} View
 * @property {string} query
 * @property {import('./table.js').Order} order
 * @property {number} page from 1
 * @property {number} size rows on a page
 * @property {string[]} columns chosen: names of columns and of settings
 * @property {boolean} differing settings in which the runs differ have columns too
 * @property {number[]} picked
 */

export const SIZES = [25, 50, 100, 200];

/** @returns {View} */
const usual = () => ({
    query: '',
    order: { id: 'id', falling: true },
    page: 1,
    size: 50,
    columns: [...USUAL],
    differing: true,
    picked: [],
});

/** Positive whole numbers. @param {string | null} text */
const numbers = (text) =>
    (text ?? '')
        .split(',')
        .map(Number)
        .filter((value) => Number.isInteger(value) && value > 0);

/** @returns {View} */
export function readAddress() {
    const asked = new URLSearchParams(location.search);
    const view = usual();
    const sort = asked.get('sort');
    const size = Number(asked.get('size'));

    view.query = asked.get('q') ?? '';
    if (sort) view.order = { id: sort.replace(/^-/, ''), falling: sort.startsWith('-') };
    view.page = numbers(asked.get('page'))[0] ?? 1;
    if (SIZES.includes(size)) view.size = size;
    if (asked.has('columns')) view.columns = (asked.get('columns') ?? '').split(',').filter(Boolean);
    view.differing = asked.get('differing') !== 'off';
    view.picked = numbers(asked.get('picked'));
    return view;
}

/** @param {View} view */
export function addressOf(view) {
    const asked = new URLSearchParams();
    const { order, size, columns } = usual();

    if (view.query) asked.set('q', view.query);
    if (view.order.id !== order.id || view.order.falling !== order.falling)
        asked.set('sort', (view.order.falling ? '-' : '') + view.order.id);
    if (view.page > 1) asked.set('page', String(view.page));
    if (view.size !== size) asked.set('size', String(view.size));
    if (view.columns.join() !== columns.join()) asked.set('columns', view.columns.join());
    if (!view.differing) asked.set('differing', 'off');
    if (view.picked.length) asked.set('picked', view.picked.join());
    const text = asked.toString().replaceAll('%2C', ',').replaceAll('%3A', ':');
    return text ? `/runs.html?${text}` : '/runs.html';
}
