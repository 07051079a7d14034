/* openapi.js - the OpenAPI document as this page needs it: references followed, operations in a row, types in words. */

/**
 * @typedef {Record<string, any>} Schema
 * @typedef {{name: string, in: string, required?: boolean, description?: string, schema: Schema,
 *            example?: any}} Parameter
 * @typedef {{status: string, description: string, types: {type: string, schema: Schema | undefined}[]}} Answer
 * @typedef {{id: string, method: string, path: string, tag: string, summary: string, description: string,
 *            parameters: Parameter[], body: {required: boolean, schema: Schema} | null, answers: Answer[]}} Operation
 */

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/** The last part of "#/components/schemas/Run". @param {string} reference */
const nameOf = (reference) => reference.slice(reference.lastIndexOf('/') + 1);

export class OpenApi {
    /** @param {any} json */
    constructor(json) {
        this.json = json;
    }

    /** What a reference means; a description beside it goes over its own. @param {any} value @returns {any} */
    resolve(value) {
        if (!value || typeof value.$ref !== 'string') return value;
        const { $ref, ...beside } = value;
        const found = $ref
            .slice(2)
            .split('/')
            .reduce((/** @type {any} */ at, /** @type {string} */ name) => at?.[name], this.json);
        return { ...this.resolve(found), ...beside };
    }

    /** Schemas by name, as the document has them. @returns {[string, Schema][]} */
    get schemas() {
        return Object.entries(this.json.components.schemas);
    }

    /** @returns {{name: string, description: string}[]} */
    get tags() {
        return this.json.tags;
    }

    /** Every operation, in the document's order. @returns {Operation[]} */
    get operations() {
        return Object.entries(this.json.paths).flatMap(([path, item]) =>
            METHODS.filter((method) => item[method]).map((method) => this.#operation(path, method, item[method])),
        );
    }

    /** @param {string} path @param {string} method @param {any} found @returns {Operation} */
    #operation(path, method, found) {
        const body = this.resolve(found.requestBody);
        return {
            id: found.operationId,
            method: method.toUpperCase(),
            path,
            tag: found.tags?.[0] ?? '',
            summary: found.summary ?? '',
            description: found.description ?? '',
            parameters: (found.parameters ?? []).map((/** @type {any} */ each) => this.resolve(each)),
            body: body && { required: !!body.required, schema: body.content['application/json'].schema },
            answers: Object.entries(found.responses).map(([status, answer]) => this.#answer(status, answer)),
        };
    }

    /** @param {string} status @param {any} answer @returns {Answer} */
    #answer(status, answer) {
        const { description, content = {} } = this.resolve(answer);
        const types = Object.entries(content).map(([type, { schema }]) => ({ type, schema }));
        return { status, description, types };
    }

    /** An example of a schema; undefined where the document has none. @param {Schema} schema */
    exampleOf(schema) {
        const found = this.resolve(schema);
        return found?.examples?.[0] ?? found?.example;
    }
}

/** @param {number} value */
const numberText = (value) => value.toLocaleString('en', { maximumFractionDigits: 9, useGrouping: false });

/** "1 to 500", "more than 0", "at most 20 characters": what a value may be. @param {Schema} schema */
function limitsOf(schema) {
    const { minimum, exclusiveMinimum, maximum, minLength, maxLength, minItems, maxItems, pattern } = schema;
    const texts = [];
    if (exclusiveMinimum !== undefined) texts.push(`more than ${numberText(exclusiveMinimum)}`);
    if (minimum !== undefined && maximum !== undefined)
        texts.push(`${numberText(minimum)} to ${numberText(maximum)}`);
    else if (minimum !== undefined) texts.push(`${numberText(minimum)} or more`);
    else if (maximum !== undefined) texts.push(`at most ${numberText(maximum)}`);
    if (minLength > 1) texts.push(`at least ${minLength} characters`);
    if (maxLength !== undefined) texts.push(`at most ${maxLength} characters`);
    if (minItems > 1) texts.push(`at least ${minItems}`);
    if (maxItems !== undefined) texts.push(`at most ${maxItems} of them`);
    if (pattern) texts.push(`like ${pattern}`);
    return texts;
}

/**
 * A type in words and names of schemas, for a person: ["array of ", {name: "Run"}].
 * @param {Schema | boolean | undefined} schema as it stands in the document
 * @returns {(string | {name: string})[]}
 */
export function typeOf(schema) {
    if (typeof schema !== 'object') return ['anything'];
    if (schema.$ref) return [{ name: nameOf(schema.$ref) }];
    if (schema.const !== undefined) return [JSON.stringify(schema.const)];
    if (schema.enum) return [schema.enum.map((/** @type {any} */ value) => String(value)).join(' | ')];
    const either = schema.oneOf ?? schema.anyOf;
    if (either && !schema.properties)
        return either.flatMap((/** @type {Schema} */ each, /** @type {number} */ i) =>
            i ? [' or ', ...typeOf(each)] : typeOf(each),
        );
    if (schema.allOf) return schema.allOf.flatMap((/** @type {Schema} */ each) => typeOf(each));
    if (schema.items) return ['array of ', ...typeOf(schema.items), ...limitsOf(schema).map((text) => `, ${text}`)];
    const type = [schema.type ?? 'anything'].flat().join(' or ');
    return [[type, ...limitsOf(schema)].join(', ')];
}

/**
 * The fields of an object, those of objects within it with a dot between.
 * @param {Schema} schema
 * @param {string} [before]
 * @returns {{name: string, required: boolean, schema: Schema}[]}
 */
export function fieldsOf(schema, before = '') {
    return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
        { name: before + name, required: (schema.required ?? []).includes(name), schema: field },
        ...fieldsOf(/** @type {Schema} */ (field), `${before}${name}.`),
    ]);
}
