import { serverProperties } from './kafka.mjs';
import { javaMajor } from './kafka-jars.mjs';

describe('the version of Java', () => {
  it.each([
    ['openjdk version "17.0.15" 2025-04-15', 17],
    ['java version "21" 2023-09-19 LTS', 21],
    ['java version "1.8.0_392"', 8],
    ['Picked up JAVA_TOOL_OPTIONS: -Dx\nopenjdk version "25-ea"', 25],
    ['The operation couldn’t be completed. Unable to locate a Java Runtime.', null],
  ])('is read from %p', (output, major) => expect(javaMajor(output)).toBe(major));
});

it('lets the embedded Kafka listen on loopback only', () => {
  const properties = serverProperties({ dir: 'state/kafka', port: 7092, controllerPort: 7093 });
  expect(properties).toContain('listeners=PLAINTEXT://127.0.0.1:7092,CONTROLLER://127.0.0.1:7093\n');
  expect(properties).toContain('advertised.listeners=PLAINTEXT://127.0.0.1:7092\n');
});
it('makes no topic that nobody created', () =>
  expect(serverProperties({ dir: 'd', port: 1, controllerPort: 2 })).toContain(
    'auto.create.topics.enable=false\n',
  ));
