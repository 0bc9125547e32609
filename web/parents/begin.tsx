// What a family does once or now and then: agreeing, names, pairing, a question. Fetched when it is needed.
export { Consent, Invited } from "./consent/consent.tsx";
export { Asked } from "./consent/question.tsx";
export { SecondStep } from "./door/second-step.tsx";
export { NewChild, OwnName, Pair } from "./home/setup.tsx";
