"""The whole product on one machine: an emulator of AWS, and processes in place of CloudFront and Lambda."""
