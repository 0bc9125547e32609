// The types that the tests build examples of.
export type { ContactResponse, MessageResponse, Place } from "../../../web/shared/api-types.ts";
export type { Waiting } from "../../../web/shared/store.ts";
